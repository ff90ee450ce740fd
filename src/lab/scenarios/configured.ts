/** A cluster by direct routing that a sluice.yaml describes, as an operator runs it, and what it survives. */
import { setTimeout as sleep } from "node:timers/promises";
import { endpoint, url } from "../endpoint.ts";
import type { Finding } from "../event.ts";
import type { Equipment } from "../network/equipment.ts";
import type { RealServerPlan } from "../network/plan.ts";
import { HOLD_PATH } from "../network/real-server.ts";
import { HIDING, hiddenAddresses } from "./hidden-addresses.ts";
import { countBy, parseServices } from "./listing.ts";
import { parseAnswers } from "./requests.ts";
import type { Stage, Statement, Step } from "./scenario.ts";
import { virtualAddress, webServers } from "./service-steps.ts";

/** Until health checks have noticed, whatever the file's intervals are. */
const NOTICED_SECONDS = 60;
const REQUESTS = 10;
/** A packet that is lost while there is no daemon is sent again after a second, and after three. */
const REQUEST_SECONDS = 10;
const BAD_FILE = "/run/bad.yaml";

export function configured(equipment: Equipment): readonly Step[] {
  const { plan, wire } = equipment;
  const [victim, other] = plan.realServers as readonly [RealServerPlan, RealServerPlan];
  const hiding = HIDING[plan.family];
  return [
    virtualAddress(plan),
    hiddenAddresses(plan, wire),
    webServers(equipment, "client"),
    inForce(equipment),
    outage(equipment, victim, {
      title: `Experiment: ${victim.host}'s web server is killed`,
      breaking: (stage) => kill(stage, victim, equipment.webServerPid(victim.host)),
      mending: () => equipment.startWebServer(victim),
    }),
    outage(equipment, victim, {
      title: `Experiment: the VIP goes down on ${victim.host}`,
      breaking: (stage) => stage.run(victim.host, hiding.remove(plan.vip)),
      mending: (stage) => stage.run(victim.host, hiding.add(plan.vip)),
    }),
    killedDirector(equipment, [victim, other]),
    badFile(equipment, [victim, other]),
  ];
}

function inForce(equipment: Equipment): Step {
  const { plan, options, startDirector } = equipment;
  const sluice = `VIP=${plan.vip} sluice`;
  return {
    title: "The configuration on node01",
    perform: async (stage) => {
      await stage.run("node01", `${sluice} check ${quoted(options.config!)}`);
      await startDirector();
      await stage.run("node01", `${sluice} apply --wait ${quoted(options.config!)}`, {
        timeoutMs: NOTICED_SECONDS * 1_000,
      });
    },
    statements: [servedBy(equipment, plan.realServers), areAnswered(equipment, plan.realServers)],
  };
}

interface Outage {
  readonly title: string;
  readonly breaking: (stage: Stage) => Promise<unknown>;
  readonly mending: (stage: Stage) => Promise<unknown>;
}

function outage(
  equipment: Equipment,
  victim: RealServerPlan,
  { title, breaking, mending }: Outage,
): Step {
  const { realServers } = equipment.plan;
  const others = realServers.filter((server) => server !== victim);
  return {
    title,
    perform: async (stage) => {
      await breaking(stage);
      stage.progress("its checks notice after some seconds");
    },
    statements: [
      servedBy(equipment, others),
      areAnswered(equipment, others),
      {
        says: "mended, it comes back by itself",
        check: async (stage) => {
          await mending(stage);
          return await servedBy(equipment, realServers).check(stage);
        },
      },
      areAnswered(equipment, realServers),
    ],
  };
}

function killedDirector(equipment: Equipment, servers: readonly RealServerPlan[]): Step {
  const { plan, directorPid } = equipment;
  let held = "";
  return {
    title: "Experiment: the director's daemon is killed",
    perform: async (stage) => {
      const { stdout } = await stage.run(
        "client",
        `curl -sN ${url(plan.vip, 80, HOLD_PATH)} >/dev/null 2>&1 & echo $!; sleep 0.3`,
      );
      held = stdout.trim();
      await stage.run("node01", `kill -9 ${directorPid()}`);
    },
    statements: [
      // Asked at once: what comes while there is no daemon is late, and not refused.
      areAnswered(equipment, servers),
      {
        says: "a connection from before goes on",
        check: async (stage) => {
          const filter = `dst ${plan.vip} and dport = 80`;
          const { stdout } = await stage.run("client", `ss -Htn state established '${filter}'`);
          const { code } = await stage.attempt("client", `kill ${held}`);
          return { ok: code === 0 && stdout.trim() !== "", evidence: oneLine(stdout) || "none" };
        },
      },
      servedBy(equipment, servers),
    ],
  };
}

function badFile(equipment: Equipment, servers: readonly RealServerPlan[]): Step {
  const { plan, options } = equipment;
  let code = 0;
  let said = "";
  return {
    title: "Experiment: a file with a mistake",
    perform: async (stage) => {
      await stage.run(
        "node01",
        `{ cat ${quoted(options.config!)}; echo 'servcies: []'; } > ${BAD_FILE}`,
      );
      ({ code, output: said } = await stage.attempt(
        "node01",
        `VIP=${plan.vip} sluice apply ${BAD_FILE}`,
      ));
    },
    statements: [
      {
        says: "sluice apply refuses it, and says in which line",
        check: async () => ({
          ok: code !== 0 && said.includes(`${BAD_FILE}:`) && said.includes("servcies"),
          evidence: oneLine(said),
        }),
      },
      servedBy(equipment, servers),
      areAnswered(equipment, servers),
    ],
  };
}

/** Which servers the service has that get connections, in the end. */
function servedBy({ plan }: Equipment, servers: readonly RealServerPlan[]): Statement {
  const wanted = servers.map(({ rip }) => endpoint(rip, plan.realPort)).sort();
  const at = endpoint(plan.vip, 80);
  return {
    says: `ipvsadm -ln has ${servers.map(({ host }) => host).join(" and ")} for ${at}, and nobody else`,
    check: async (stage): Promise<Finding> => {
      let found: string[] = [];
      for (let waited = 0; waited < NOTICED_SECONDS; waited++) {
        // While there is no daemon nobody answers.
        const { stdout } = await stage.attempt("node01", "ipvsadm -ln", { isQuiet: true });
        const service = parseServices(stdout).find((one) => one.at === at);
        const serving = service?.destinations.filter(({ weight }) => weight > 0) ?? [];
        found = serving.map((one) => one.at).sort();
        if (found.join() === wanted.join()) break;
        await sleep(1_000);
      }
      await stage.attempt("node01", "ipvsadm -ln");
      return { ok: found.join() === wanted.join(), evidence: found.join(", ") || "none" };
    },
  };
}

function areAnswered({ plan }: Equipment, servers: readonly RealServerPlan[]): Statement {
  const names = servers.map(({ host }) => host).join(" or ");
  return {
    says: `${REQUESTS} requests are answered by ${names}`,
    check: async (stage) => {
      const request = `curl -sS --max-time ${REQUEST_SECONDS} ${url(plan.vip)}`;
      const script = `for i in $(seq ${REQUESTS}); do ${request}; done`;
      const timeoutMs = REQUESTS * REQUEST_SECONDS * 1_000;
      const { output } = await stage.attempt("client", script, { timeoutMs });
      const { from } = parseAnswers(output);
      return {
        ok: from.length === REQUESTS && from.every((rip) => servers.some((one) => one.rip === rip)),
        evidence: countBy(from.map((rip) => `from ${rip}`)),
      };
    },
  };
}

function kill(stage: Stage, { host }: RealServerPlan, pid: number): Promise<unknown> {
  return stage.run(host, `kill -9 ${pid}`);
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, " ");
}

/** For a shell. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}
