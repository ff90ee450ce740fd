/** A new server of a service, proposed by a form. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { formatEndpointId, formatServiceId } from "../../../src/api/ids.ts";
import type { WireServiceKey } from "../../../src/control/wire.ts";
import { snapshot } from "../daemon/live.ts";
import { stage } from "./draft.ts";
import { endpointIn, FORWARDINGS, weightIn } from "./fields.ts";
import { Choice, ProposalForm, Typed } from "./proposal-form.tsx";
import { say } from "./words.ts";

export function AddServer({ service }: { readonly service: WireServiceKey }): JSX.Element {
  const [place, setPlace] = useState("");
  const [port, setPort] = useState(
    service.kind === "endpoint" && service.endpoint.port !== 0 ? `${service.endpoint.port}` : "80",
  );
  const [forwarding, setForwarding] = useState("route");
  const [weight, setWeight] = useState("1");
  const propose = (): void => {
    const destination = endpointIn(place, port, say);
    const what = formatEndpointId(destination);
    const id = formatServiceId(service);
    const known = snapshot.value?.services.find(({ key }) => formatServiceId(key) === id);
    if (known?.destinations.some(({ endpoint }) => formatEndpointId(endpoint) === what)) {
      throw new Error(say("thereAlready", { what }));
    }
    stage({
      kind: "add",
      service,
      destination,
      weight: weightIn(weight, say),
      forwarding: FORWARDINGS[forwarding]!,
    });
    setPlace("");
  };
  return (
    <ProposalForm title={say("newServer")} propose={propose}>
      <Typed title={say("address")} value={place} type={setPlace} example="10.0.0.2" />
      <Typed title={say("port")} value={port} type={setPort} size={6} />
      <Choice
        title={say("forwarding")}
        values={Object.keys(FORWARDINGS)}
        value={forwarding}
        choose={setForwarding}
      />
      <Typed title={say("weight")} value={weight} type={setWeight} size={6} />
    </ProposalForm>
  );
}
