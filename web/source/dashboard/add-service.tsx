/** A new service, proposed by a form: nothing is done before its plan was seen. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { formatServiceId } from "../../../src/api/ids.ts";
import type { Protocol } from "../../../src/ipvs/desired/service.ts";
import { snapshot } from "../daemon/live.ts";
import { go } from "../frame/route.ts";
import { stage } from "./draft.ts";
import { PROTOCOLS, persistenceIn, SCHEDULERS, serviceIn } from "./fields.ts";
import { Choice, ProposalForm, Typed } from "./proposal-form.tsx";
import { say } from "./words.ts";

export function AddService(): JSX.Element {
  const [protocol, setProtocol] = useState<Protocol>("tcp");
  const [place, setPlace] = useState("");
  const [port, setPort] = useState("80");
  const [scheduler, setScheduler] = useState<string>("wlc");
  const [persistence, setPersistence] = useState("");
  const propose = (): void => {
    const service = serviceIn(protocol, place, port, say);
    const persistentSeconds = persistenceIn(persistence, say);
    const what = formatServiceId(service);
    if (snapshot.value?.services.some(({ key }) => formatServiceId(key) === what)) {
      throw new Error(say("thereAlready", { what }));
    }
    stage({ kind: "service", service, scheduler, persistentSeconds });
    // Its servers are proposed there.
    go(["changes"]);
  };
  return (
    <ProposalForm title={say("newService")} propose={propose}>
      <Choice
        title={say("protocol")}
        values={PROTOCOLS}
        value={protocol}
        choose={(value) => setProtocol(value as Protocol)}
      />
      <Typed title={say("addressOrMark")} value={place} type={setPlace} example="192.0.2.10" />
      <Typed title={say("port")} value={port} type={setPort} size={6} />
      <Choice
        title={say("scheduler")}
        values={SCHEDULERS}
        value={scheduler}
        choose={setScheduler}
      />
      <Typed title={say("persistence")} value={persistence} type={setPersistence} size={6} />
    </ProposalForm>
  );
}
