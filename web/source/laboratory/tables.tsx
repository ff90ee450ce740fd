/** What a host knows at the step that one looks at. */
import type { ComponentChildren, JSX } from "preact";
import type { TableName } from "../../../src/simnet/event.ts";
import type { HostSnapshot } from "../../../src/simnet/snapshot.ts";
import { say, sayTable } from "./words.ts";

interface TablesProps {
  readonly host: HostSnapshot;
  /** The one that has just changed. */
  readonly changed: TableName | undefined;
}

export function Tables({ host, changed }: TablesProps): JSX.Element {
  const { interfaces, neighbours, routes, settings, sockets, director } = host;
  return (
    <div class="tables">
      {director === undefined ? null : (
        <>
          <Table
            name="services"
            changed={changed}
            rows={director.services.flatMap(({ service, scheduler, destinations }) => [
              [service, scheduler, "", ""],
              ...destinations.map((each) => [
                `→ ${each.address}`,
                each.forwarding,
                `w ${each.weight}`,
                `${each.activeConnections}/${each.inactiveConnections}`,
              ]),
            ])}
          />
          <Table
            name="connections"
            changed={changed}
            rows={director.connections.map((each) => [
              each.client,
              each.state,
              `→ ${each.destination}`,
            ])}
          />
        </>
      )}
      <Table
        name="addresses"
        changed={changed}
        rows={interfaces.flatMap(({ name, addresses, isUp, mac, kind }) => {
          const head = [name, kind === "ethernet" ? mac : kind, isUp ? "up" : "down"];
          const shown = addresses.map((each) => [
            `\u2003${each.address}/${each.prefixLength}`,
            each.label === name ? "" : each.label,
            each.scope === "global" ? "" : each.scope,
          ]);
          return [head, ...shown];
        })}
      />
      <Table
        name="neighbours"
        changed={changed}
        rows={neighbours.map(({ address, mac, state, interface: card }) => [
          address,
          mac ?? "?",
          state,
          card,
        ])}
      />
      <Table
        name="routes"
        changed={changed}
        rows={routes
          .filter(({ table }) => table === "main")
          .map(({ to, via, interface: card }) => [
            to === "0.0.0.0/0" || to === "::/0" ? "default" : to,
            via === undefined ? "" : `via ${via}`,
            card,
          ])}
      />
      <Table
        name="settings"
        changed={changed}
        rows={settings.filter(isTold).map(({ path, value }) => [path, value])}
        empty={say("asItWas")}
      />
      <Table
        name="sockets"
        changed={changed}
        rows={sockets.map(({ protocol, state, local, peer }) => [protocol, state, local, peer])}
      />
    </div>
  );
}

/** That there is no IPv6 is so in all of these laboratories. */
function isTold({ path }: { readonly path: string }): boolean {
  return !path.endsWith(".disable_ipv6");
}

interface TableProps {
  readonly name: TableName;
  readonly changed: TableName | undefined;
  readonly rows: readonly (readonly string[])[];
  readonly empty?: ComponentChildren;
}

function Table({ name, changed, rows, empty = say("none") }: TableProps): JSX.Element {
  return (
    <section data-changed={name === changed ? "" : undefined} data-table={name}>
      <h3>{sayTable(name)}</h3>
      {rows.length === 0 ? (
        <p class="quiet">{empty}</p>
      ) : (
        <table aria-label={sayTable(name)}>
          <tbody>
            {rows.map((row) => (
              <tr key={row.join(" ")}>
                {row.map((cell, index) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: columns stay where they are
                  <td key={index}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
