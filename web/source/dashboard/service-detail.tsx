/** One service: its rates, its servers and how they are, and what one can do about them. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { formatEndpointId, formatServiceId } from "../../../src/api/ids.ts";
import type { ServiceHealthStatus } from "../../../src/api/messages.ts";
import type {
  WireDestinationStatus,
  WireServiceKey,
  WireServiceStatus,
} from "../../../src/control/wire.ts";
import { call } from "../daemon/api.ts";
import { health, rates, refresh, snapshot } from "../daemon/live.ts";
import { whole } from "../frame/numbers.ts";
import { isUnlocked } from "../frame/preferences.ts";
import { formatRoute, go } from "../frame/route.ts";
import { useStore } from "../frame/store.ts";
import { AddServer } from "./add-server.tsx";
import { Chart } from "./chart.tsx";
import { useCommand } from "./command.ts";
import { draft, stage } from "./draft.ts";
import { Explain } from "./explain.tsx";
import { forwardingName } from "./rows.ts";
import { say } from "./words.ts";

export function ServiceDetail({
  id,
  server,
}: {
  readonly id: string;
  readonly server: string | undefined;
}): JSX.Element {
  const { services } = useStore(snapshot)!;
  const known = useStore(health);
  const isOpen = useStore(isUnlocked);
  const service = services.find(({ key }) => formatServiceId(key) === id);
  const series = rates.of(id);
  const checked = known?.services.find((each) => each.service === id);
  return (
    <aside class="panel detail" aria-labelledby="detail-title">
      <div class="panel-head">
        <h1 id="detail-title">{id}</h1>
        <button
          type="button"
          class="plain"
          onClick={() => go(["services"])}
          aria-label={say("close")}
        >
          ×
        </button>
      </div>
      {service === undefined ? (
        <p class="notice">{say("noSuchService")}</p>
      ) : (
        <div class="detail-body">
          <p class="facts">{factsOf(service, checked)}</p>
          <Chart
            title={say("newTitle")}
            seconds={series.seconds}
            unit="/s"
            lines={[{ says: "", tone: "client", values: series.connections }]}
          />
          <Chart
            title={say("traffic")}
            seconds={series.seconds}
            unit="bit/s"
            lines={[
              { says: say("in"), tone: "client", values: series.inBytes.map(inBits) },
              { says: say("out"), tone: "server", values: series.outBytes.map(inBits) },
            ]}
          />
          <Servers service={service} checked={checked} chosen={server} />
          {isOpen ? <ServiceActions service={service.key} /> : null}
          <Explain service={service} />
          <p>
            <a href={formatRoute(["connections"], { service: id })}>{say("itsConnections")}</a>
          </p>
        </div>
      )}
    </aside>
  );
}

function ServiceActions({ service }: { readonly service: WireServiceKey }): JSX.Element {
  return (
    <>
      <AddServer service={service} />
      <p class="actions">
        <button type="button" onClick={() => stage({ kind: "remove-service", service })}>
          {say("proposeServiceRemoval")}
        </button>
      </p>
    </>
  );
}

function inBits(bytes: number): number {
  return bytes * 8;
}

function factsOf(service: WireServiceStatus, checked: ServiceHealthStatus | undefined): string {
  const { scheduler, schedulerFlags, persistence, counters } = service;
  const facts = [
    say("schedulerIs", {
      name: `${scheduler}${schedulerFlags.length > 0 ? ` (${schedulerFlags.join(", ")})` : ""}`,
    }),
    persistence === null
      ? say("notPersistent")
      : say("staysFor", { seconds: persistence.timeoutSeconds }),
    say("soFar", { count: whole(counters.connections) }),
  ];
  if (checked !== undefined) {
    facts.push(say("upWanted", { sum: checked.sum, quorum: checked.quorum }));
  }
  return `${facts.join(" · ")}${say("fullStop")}`;
}

interface ServersProps {
  readonly service: WireServiceStatus;
  readonly checked: ServiceHealthStatus | undefined;
  readonly chosen: string | undefined;
}

/** More than a person compares; the list has them all. */
const SHOWN_MAX = 50;

function Servers({ service, checked, chosen }: ServersProps): JSX.Element {
  const found = new Map((checked?.destinations ?? []).map((each) => [each.destination, each]));
  const isChosen = (each: WireDestinationStatus): boolean =>
    formatEndpointId(each.endpoint) === chosen;
  const shown = [
    ...service.destinations.filter(isChosen),
    ...service.destinations.filter((each) => !isChosen(each)),
  ].slice(0, SHOWN_MAX);
  return (
    <section aria-labelledby="servers-title">
      <h2 id="servers-title">{say("servers")}</h2>
      <ul class="servers">
        {shown.map((destination) => {
          const id = formatEndpointId(destination.endpoint);
          return (
            <Server
              key={id}
              service={service}
              destination={destination}
              why={found.get(id)?.why ?? ""}
              health={found.get(id)?.health ?? "unchecked"}
              isChosen={id === chosen}
            />
          );
        })}
      </ul>
      <TakenOut service={service} checked={checked} />
      {service.destinations.length > SHOWN_MAX ? (
        <p>{say("firstShown", { count: SHOWN_MAX })}</p>
      ) : null}
    </section>
  );
}

/** Checks have taken them out of the service: the director does not know them now. */
function TakenOut({ service, checked }: Omit<ServersProps, "chosen">): JSX.Element {
  const there = new Set(service.destinations.map(({ endpoint }) => formatEndpointId(endpoint)));
  const out = (checked?.destinations ?? []).filter(
    ({ destination, weight }) => weight === null && !there.has(destination),
  );
  return (
    <ul class="servers">
      {out.map(({ destination, health: state, why, since }) => (
        <li key={destination}>
          <div class="server-line">
            <strong>{destination}</strong>
            <span class="health" data-health={state}>
              {sayHealth(state)}
            </span>
            <span class="quiet">
              {since === null ? "" : say("since", { time: new Date(since).toLocaleTimeString() })}
            </span>
          </div>
          <p class="quiet">{why}</p>
        </li>
      ))}
    </ul>
  );
}

interface ServerProps {
  readonly service: WireServiceStatus;
  readonly destination: WireDestinationStatus;
  readonly health: string;
  readonly why: string;
  readonly isChosen: boolean;
}

/** A daemon of another version may know others. */
function sayHealth(state: string): string {
  return state === "up" || state === "down" || state === "unchecked" ? say(state) : state;
}

function Server({ service, destination, health: state, why, isChosen }: ServerProps): JSX.Element {
  const id = formatEndpointId(destination.endpoint);
  const { drain, weight, activeConnections, forwarding } = destination;
  return (
    <li data-chosen={isChosen ? "" : undefined}>
      <div class="server-line">
        <strong>{id}</strong>
        <span class="health" data-health={drain === undefined ? state : "draining"}>
          {drain === undefined ? sayHealth(state) : say("draining")}
        </span>
        <span class="quiet">
          {say("serverFacts", {
            forwarding: forwardingName(forwarding),
            weight,
            active: whole(activeConnections),
          })}
        </span>
      </div>
      {why === "" ? null : <p class="quiet">{why}</p>}
      <ServerActions service={service} destination={destination} />
    </li>
  );
}

function ServerActions({
  service,
  destination,
}: Pick<ServerProps, "service" | "destination">): JSX.Element | null {
  const isOpen = useStore(isUnlocked);
  useStore(draft);
  const { run, isBusy, failure } = useCommand();
  const [weight, setWeight] = useState(String(destination.weight));
  if (!isOpen) return null;
  const params = { service: service.key, destination: destination.endpoint };
  const isDrained = destination.drain !== undefined;
  const drain = async (): Promise<void> => {
    if (isDrained) await call("undrain", params);
    else await call("drain", params, {});
    refresh();
  };
  const setting = Number(weight);
  const isRight = /^\d{1,5}$/.test(weight) && setting <= 65_535;
  return (
    <div class="actions">
      <button type="button" disabled={isBusy} onClick={() => run(drain)}>
        {say(isDrained ? "undrain" : "drain")}
      </button>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          stage({ kind: "weight", ...params, weight: setting });
        }}
      >
        <label>
          {say("weight")}
          <input
            inputMode="numeric"
            size={5}
            value={weight}
            onInput={(event) => setWeight(event.currentTarget.value)}
          />
        </label>
        <button type="submit" disabled={!isRight || setting === destination.weight || isDrained}>
          {say("propose")}
        </button>
      </form>
      <button type="button" onClick={() => stage({ kind: "remove", ...params })}>
        {say("proposeRemoval")}
      </button>
      {failure === undefined ? null : (
        <p role="alert" class="failure">
          {failure}
        </p>
      )}
    </div>
  );
}
