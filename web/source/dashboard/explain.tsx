/** What would become of a client's next packet, and why. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { formatServiceId, parseEndpointId } from "../../../src/api/ids.ts";
import type { ExplainReply } from "../../../src/api/messages.ts";
import type { WireEndpoint, WireServiceStatus } from "../../../src/control/wire.ts";
import { Address } from "../../../src/net/address.ts";
import { call } from "../daemon/api.ts";
import { useCommand } from "./command.ts";
import { say } from "./words.ts";

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
      <h2 id="explain-title">{say("explain")}</h2>
      <form onSubmit={explain}>
        <label>
          {say("nextOf")}
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
          {say("goesWhere")}
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
  if (endpoint === undefined) throw new Error(say("expectedClient", { text }));
  return { address: endpoint.address.toString(), port: endpoint.port };
}

const BY = {
  connection: "byConnection",
  template: "byTemplate",
  scheduler: "byScheduler",
  nobody: "byNobody",
} as const;

function Said({ said, name }: { readonly said: ExplainReply; readonly name: string }): JSX.Element {
  const { candidates, choice, by, means, sent, interface: card, service } = said;
  return (
    <div role="status">
      <p>
        {service === undefined ? say("noServiceGets", { name }) : say(BY[by])}{" "}
        <b>{choice === undefined ? say("nobodyGets") : say("getsIt", { server: choice })}</b>:{" "}
        {means}
        {say("fullStop")}
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
              {load === undefined ? say("weightIs", { weight }) : say("loadIs", { load, weight })}
              {why === "" ? "" : `, ${why}`}
            </span>
          </li>
        ))}
      </ul>
      {sent === undefined ? null : (
        <p class="quiet">
          {say(card === null ? "leaves" : "leavesBy", {
            card: card ?? "",
            hop: sent.nextHop,
            source: sent.source,
            destination: sent.destination,
            bytes: sent.bytes,
          })}
        </p>
      )}
    </div>
  );
}
