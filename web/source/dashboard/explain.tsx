/** What would become of a client's next packet, and why. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { formatServiceId, parseEndpointId } from "../../../src/api/ids.ts";
import type { ExplainReply } from "../../../src/api/messages.ts";
import type { WireEndpoint, WireServiceStatus } from "../../../src/control/wire.ts";
import { Address } from "../../../src/net/address.ts";
import { call } from "../daemon/api.ts";
import { useCommand } from "./command.ts";

export function Explain({ service }: { readonly service: WireServiceStatus }): JSX.Element {
  const [client, setClient] = useState("");
  const [said, setSaid] = useState<ExplainReply | undefined>(undefined);
  const { run, isBusy, failure } = useCommand();
  const key = service.key;
  const explain = (event: Event): void => {
    event.preventDefault();
    run(async () =>
      setSaid(await call("explain", { service: key }, { client: endpointIn(client) })),
    );
  };
  return (
    <section class="explain" aria-labelledby="explain-title">
      <h2 id="explain-title">Explain</h2>
      <form onSubmit={explain}>
        <label>
          The next connection of
          <input
            required
            placeholder={
              key.kind === "endpoint" && key.endpoint.address.includes(":")
                ? "2001:db8::7"
                : "203.0.113.7"
            }
            value={client}
            onInput={(event) => setClient(event.currentTarget.value)}
          />
        </label>
        <button type="submit" disabled={isBusy}>
          goes where?
        </button>
      </form>
      {failure === undefined ? null : (
        <p role="alert" class="failure">
          {failure}
        </p>
      )}
      {said === undefined ? null : <Said said={said} name={formatServiceId(key)} />}
    </section>
  );
}

/** Throws an Error that says what would be right. */
function endpointIn(text: string): WireEndpoint {
  const address = Address.parse(text.trim());
  if (address !== undefined) return { address: address.toString(), port: 0 };
  const endpoint = parseEndpointId(text.trim());
  if (endpoint === undefined) throw new Error(`${text}: expected an address, or 203.0.113.7:40000`);
  return { address: endpoint.address.toString(), port: endpoint.port };
}

const BY = {
  connection: "It has a connection: no server is chosen.",
  template: "Its template says where to (persistence): no server is chosen.",
  scheduler: "The scheduler chooses.",
  nobody: "No server is chosen.",
} as const;

function Said({ said, name }: { readonly said: ExplainReply; readonly name: string }): JSX.Element {
  const { candidates, choice, by, means, sent, interface: card, service } = said;
  return (
    <div role="status">
      <p>
        {service === undefined ? `No service gets it, though ${name} was asked for.` : BY[by]}{" "}
        <b>{choice === undefined ? "Nobody gets it" : `${choice} gets it`}</b>: {means}.
      </p>
      <ul class="candidates">
        {candidates.map(({ destination, load, weight, why, mayBeChosen }) => (
          <li
            key={destination}
            data-chosen={destination === choice ? "" : undefined}
            data-out={mayBeChosen ? undefined : ""}
          >
            <code>{destination}</code>
            <span>
              {load === undefined ? `weight ${weight}` : `load ${load} / weight ${weight}`}
              {why === "" ? "" : `, ${why}`}
            </span>
          </li>
        ))}
      </ul>
      {sent === undefined ? null : (
        <p class="quiet">
          Leaves {card === null ? "" : `by ${card} `}to {sent.nextHop}: {sent.source} →{" "}
          {sent.destination}, {sent.bytes} bytes.
        </p>
      )}
    </div>
  );
}
