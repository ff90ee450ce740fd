/** The handbook's experiment: one thing is broken on a real server, its requests hang, it is mended. */
import { endpoint, url } from "../endpoint.ts";
import type { Equipment } from "../network/equipment.ts";
import type { RealServerPlan } from "../network/plan.ts";
import { countBy, type ListedConnection } from "./listing.ts";
import {
  type Answers,
  parseAnswers,
  requestsInTurn,
  requestsTimeoutMs,
  requestsTogether,
} from "./requests.ts";
import type { Stage, Step } from "./scenario.ts";
import { connectionsOf } from "./statements.ts";

export interface Breakage {
  /** What a reader sees happen, after "Experiment: ". */
  readonly title: (host: string) => string;
  readonly breaking: Action;
  readonly mending: Action;
  /** What requests to the broken server do; they hang when nothing is said. */
  readonly symptom?: string;
}

/** A shell command on the real server, or what else is done to it. */
type Action = string | ((server: RealServerPlan) => Promise<void>);

const REQUESTS = 4;

/** `answered` tells who answered before: only what a scheduler sends requests to can be seen to hang. */
export function experiment(
  { plan, options }: Equipment,
  { title, breaking, mending, symptom = "hang" }: Breakage,
  answered: () => readonly string[],
): Step {
  const [first, second] = plan.realServers as readonly [RealServerPlan, RealServerPlan];
  const victim = (): RealServerPlan =>
    answered().includes(first.rip) || !answered().includes(second.rip) ? first : second;
  const site = url(plan.vip);
  const timeoutMs = requestsTimeoutMs(REQUESTS);
  // A scheduler that counts connections avoids the server with half-open ones until they expire.
  const takesTurns = options.scheduler === "rr" || options.scheduler === "wrr";
  let answers: Answers = { from: [], unanswered: 0 };

  return {
    // Read when the step begins: by then it is known who answered.
    get title() {
      return `Experiment: ${title(victim().host)}`;
    },
    perform: async (stage) => {
      await act(stage, breaking);
      stage.progress("requests that hang are given up after 2 s");
      answers = await ask(stage, requestsTogether);
    },
    statements: [
      {
        says: `requests that go to the broken server ${symptom}, the other's are answered`,
        check: async () => ({
          ok: answers.unanswered > 0 && !answers.from.includes(victim().rip),
          evidence: `${victim().host} is broken: ${describe(answers)}`,
        }),
      },
      {
        says: "node01 saw them come: ipvsadm -lnc shows them in SYN_RECV",
        check: async (stage) => {
          const { stdout } = await stage.run("node01", "ipvsadm -lnc");
          const halfOpen = connectionsOf(stdout, plan).filter(({ state }) => state === "SYN_RECV");
          const isVictims = ({ destination }: ListedConnection): boolean =>
            destination === endpoint(victim().rip, plan.realPort);
          return {
            ok: halfOpen.length === answers.unanswered && halfOpen.every(isVictims),
            evidence: `SYN_RECV: ${countBy(halfOpen.map(({ destination }) => destination))}`,
          };
        },
      },
      {
        says: "mended, every request is answered again",
        check: async (stage) => {
          await act(stage, mending);
          // In turn: together they might overflow what ovf still has.
          const after = await ask(stage, requestsInTurn);
          const areBothBack = plan.realServers.every(({ rip }) => after.from.includes(rip));
          return {
            ok: after.from.length === REQUESTS && (areBothBack || !takesTurns),
            evidence: describe(after),
          };
        },
      },
    ],
  };

  async function act(stage: Stage, action: Action): Promise<void> {
    if (typeof action === "string") await stage.run(victim().host, action);
    else await action(victim());
  }

  async function ask(stage: Stage, script: typeof requestsInTurn): Promise<Answers> {
    const { output } = await stage.attempt("client", script(site, REQUESTS), {
      timeoutMs,
    });
    return parseAnswers(output);
  }
}

function describe({ from, unanswered }: Answers): string {
  return `answers: ${countBy(from.map((rip) => `from ${rip}`))}; ${unanswered} unanswered`;
}
