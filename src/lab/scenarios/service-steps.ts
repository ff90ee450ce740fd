/** The steps that differ between the laboratories in an address, a port and a letter. */
import { GRACE_DEFAULT } from "../../daemon/options.ts";
import type { Family } from "../../net/address.ts";
import { endpoint, url } from "../endpoint.ts";
import type { Equipment } from "../network/equipment.ts";
import type { HostName, LabPlan, RealServerPlan } from "../network/plan.ts";
import { HOLD_PATH } from "../network/real-server.ts";
import { ALTERNATES } from "../options.ts";
import { countBy } from "./listing.ts";
import { alternate, parseAnswers, request, requestsInTurn, requestsTimeoutMs } from "./requests.ts";
import type { Statement, Step } from "./scenario.ts";
import {
  countsAgree,
  hasAddress,
  hasNoSocketWith,
  holdsSockets,
  leavesNoRule,
  listsConnections,
  listsService,
} from "./statements.ts";

/** Where the director has the VIP, and what puts it there and shows it. */
const DIRECTORS_VIP: Readonly<
  Record<Family, { card: string; commands(plan: LabPlan): readonly string[] }>
> = {
  inet: {
    card: "eth0:2",
    commands: ({ vip, prefixLength }) => [
      `ifconfig eth0:2 ${vip}/${prefixLength}`,
      "ifconfig eth0:2",
    ],
  },
  inet6: {
    card: "eth0",
    // Nobody else has it, so nobody has to be asked first (duplicate address detection): it works at once.
    commands: ({ vip, prefixLength }) => [
      `ip addr add ${vip}/${prefixLength} dev eth0 nodad`,
      "ip -6 addr show dev eth0",
    ],
  },
};

/** The VIP on the director, and what else `commands` do to it. */
export function virtualAddress(
  plan: LabPlan,
  { also = "", commands = [] }: { also?: string; commands?: readonly string[] } = {},
): Step {
  const director = DIRECTORS_VIP[plan.family];
  return {
    title: `The VIP on node01's ${director.card}${also}`,
    perform: async (stage) => {
      for (const command of [...director.commands(plan), ...commands]) {
        await stage.run("node01", command);
      }
    },
    statements: [hasAddress("node01", director.card, `${plan.vip}/${plan.prefixLength}`)],
  };
}

/** Web servers on both, seen from a host that reaches them. */
export function webServers({ plan, startWebServer }: Equipment, from: HostName): Step {
  return {
    title: "Web servers on node02 and node03",
    perform: async () => {
      for (const server of plan.realServers) await startWebServer(server);
    },
    statements: plan.realServers.map(({ host, rip }) => ({
      says: `${host} says "from ${rip}"`,
      check: async (stage) => {
        const { output } = await stage.attempt(from, request(url(rip, plan.realPort)));
        return { ok: output.trim() === `from ${rip}`, evidence: output.trim() };
      },
    })),
  };
}

/**
 * The virtual service; `flags` and `forward` are ipvsadm's letter (and what goes with it) and word for the forwarding
 * method. One that is not the first replaces the one before.
 */
export function virtualService(
  equipment: Equipment,
  flags: string,
  forward: string,
  isFirst: boolean = true,
): Step {
  const { plan, options, startDirector } = equipment;
  const service = `-t ${endpoint(plan.vip, 80)}`;
  // ipvsadm wants a port after brackets.
  const at = (rip: string): string =>
    plan.family === "inet" && plan.realPort === 80 ? rip : endpoint(rip, plan.realPort);
  return {
    title: "The virtual service on node01",
    perform: async (stage) => {
      if (isFirst) await startDirector();
      else await stage.run("node01", "ipvsadm -C");
      await stage.run("node01", `ipvsadm -A ${service} -s ${options.scheduler}`);
      for (const { rip } of plan.realServers) {
        await stage.run("node01", `ipvsadm -a ${service} -r ${at(rip)} ${flags} -w 1`);
      }
    },
    statements: [listsService(plan, options.scheduler, forward)],
  };
}

/** The browser, reloading. `answered` gets the RIPs that answered, in turn. */
export function requests({ plan, options }: Equipment, answered: string[]): Step {
  const { scheduler, requests: count } = options;
  const doesAlternate = ALTERNATES[scheduler];
  return {
    title: `${count} requests from the client`,
    perform: async (stage) => {
      if (count > 100) stage.progress(`${count} requests, one after another`);
      const command = requestsInTurn(url(plan.vip), count);
      const limits = { timeoutMs: requestsTimeoutMs(count) };
      const { output } = await stage.attempt("client", command, limits);
      answered.push(...parseAnswers(output).from);
    },
    statements: [
      {
        says: "every request is answered by one of the real servers",
        check: async () => ({
          ok:
            answered.length === count &&
            answered.every((rip) => plan.realServers.some((one) => one.rip === rip)),
          evidence: countBy(answered.map((rip) => `from ${rip}`)),
        }),
      },
      ...(doesAlternate
        ? [
            {
              says: `${scheduler} lets both take turns`,
              check: async () => ({
                ok: answered.length > 1 && alternate(answered),
                evidence: answered.map((rip) => /[.:][^.:]*$/.exec(rip)?.[0]).join(" "),
              }),
            },
          ]
        : []),
    ],
  };
}

/** Who shakes hands with the client: the real servers, each `at` its own address, and `replies` tell by which way. */
export function handshake(
  { plan }: Equipment,
  at: (server: RealServerPlan) => string,
  answered: readonly string[],
  replies: readonly Statement[],
): Step {
  return {
    title: "Who shakes hands with the client",
    statements: [
      hasNoSocketWith(plan.client),
      ...plan.realServers.map((server) =>
        holdsSockets(server, at(server), plan.client, () => answered),
      ),
      ...replies,
    ],
  };
}

/** The connection table: `finished` connections, and one that is still open. */
export function connectionTable(
  { plan, options }: Equipment,
  finished: number = options.requests,
): Step {
  let held = "";
  return {
    title: "The connections that node01 knows",
    perform: async (stage) => {
      const { stdout } = await stage.run(
        "client",
        `curl -sN ${url(plan.vip, 80, HOLD_PATH)} >/dev/null 2>&1 & echo $!; sleep 0.3`,
      );
      held = stdout.trim();
    },
    statements: [
      listsConnections(plan, finished + 1),
      {
        ...countsAgree(plan),
        check: async (stage) => {
          const finding = await countsAgree(plan).check(stage);
          await stage.attempt("client", `kill ${held}`);
          return finding;
        },
      },
    ],
  };
}

/** The inside's share of the last step; the outside looks at what remains. */
export function removal({ stopDirector, decapsulators, options }: Equipment): Step {
  const graceSeconds = options.config === undefined ? 0 : GRACE_DEFAULT;
  const statements = [leavesNoRule(stopDirector, graceSeconds), ...decapsulators.endings()];
  return { title: REMOVAL_TITLE, statements };
}

const REMOVAL_TITLE = "Everything is removed";
