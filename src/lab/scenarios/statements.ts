/** Statements that several laboratories make. */
import { setTimeout as sleep } from "node:timers/promises";
import { endpoint } from "../endpoint.ts";
import type { Finding } from "../event.ts";
import type { LabPlan, RealServerPlan } from "../network/plan.ts";
import {
  countBy,
  hasPlausibleTimer,
  isActive,
  type ListedConnection,
  type ListedDestination,
  parseConnections,
  parseServices,
} from "./listing.ts";
import type { Stage, Statement } from "./scenario.ts";

/** The host that is at `address` answers a ping from `from`. */
export function pings(from: "client" | "node02" | "node03", address: string): Statement {
  return {
    says: `${from} can ping ${address}`,
    check: async (stage) => {
      const { code, stdout } = await stage.attempt(from, `ping -c 1 -W 2 ${address}`);
      const summary = /\d+ packets transmitted.*/.exec(stdout)?.[0] ?? "no answer";
      return { ok: code === 0, evidence: summary };
    },
  };
}

/** A network card, or an alias of one, holds an address. */
export function hasAddress(
  host: "node01" | "node02" | "node03",
  card: string,
  address: string,
): Statement {
  return {
    says: `${host} has ${address} on ${card}`,
    check: async (stage) => {
      // IPv6 knows no aliases: a card has many addresses.
      const shown = address.includes(":")
        ? `-6 address show dev ${card} scope global`
        : `-4 address show label ${card}`;
      const { stdout } = await stage.run(host, `ip -o ${shown}`);
      const found = [...stdout.matchAll(/inet6? (\S+)/g)].map(([, one]) => one);
      return { ok: found.includes(address), evidence: found.join(", ") || "nothing" };
    },
  };
}

/** `ipvsadm -ln` lists exactly the service, with both real servers at weight 1. */
export function listsService(plan: LabPlan, scheduler: string, forward: string): Statement {
  const at = endpoint(plan.vip, 80);
  const wanted = plan.realServers
    .map(({ rip }) => `${endpoint(rip, plan.realPort)} ${forward} 1`)
    .toSorted();
  return {
    says: `ipvsadm lists ${at} ${scheduler} with both real servers: ${forward}, weight 1`,
    check: async (stage) => {
      const { stdout } = await stage.run("node01", "ipvsadm -ln");
      const services = parseServices(stdout);
      const [service] = services;
      const found = (service?.destinations ?? [])
        .map(({ at: real, forward: how, weight }) => `${real} ${how} ${weight}`)
        .toSorted();
      const ok =
        services.length === 1 &&
        service?.at === at &&
        service.scheduler === scheduler &&
        found.join() === wanted.join();
      return { ok, evidence: `${service?.at ?? "no service"}: ${found.join(", ") || "nothing"}` };
    },
  };
}

/** The director has no socket with the client, though every request went through it. */
export function hasNoSocketWith(client: string): Statement {
  return {
    says: `node01 holds no socket with ${client}: it never shook hands`,
    check: async (stage) => {
      const { stdout } = await stage.run("node01", "ss -tan");
      const lines = socketsWith(stdout, client);
      return { ok: lines.length === 0, evidence: lines.join("\n") || "none in ss -tan" };
    },
  };
}

/** Those real servers that answered hold the connections. */
export function holdsSockets(
  { host, rip }: RealServerPlan,
  local: string,
  client: string,
  answered: () => readonly string[],
): Statement {
  return {
    says: `${host} holds the connections it answered, as ${local} with ${client}`,
    check: async (stage) => {
      const { stdout } = await stage.run(host, "ss -tan");
      // A socket at the RIP itself is from the time before the service.
      const states = socketsWith(stdout, client).flatMap((row) => {
        const [state = "", , , at] = row.split(/\s+/);
        return at === local ? [state] : [];
      });
      const isExpected = states.length > 0 || !answered().includes(rip);
      return { ok: isExpected, evidence: countBy(states) };
    },
  };
}

/** Rows of `ss -tan` whose peer is `client`. */
function socketsWith(listing: string, client: string): readonly string[] {
  return listing
    .split("\n")
    .filter((line) => line.split(/\s+/)[4]?.startsWith(endpoint(client, "")));
}

/** Every connection shows in `ipvsadm -lnc`, with a state and a timer that fits it. */
export function listsConnections(plan: LabPlan, count: number): Statement {
  return {
    says: `ipvsadm -lnc lists the client's ${count} connections, each with a state and its timer`,
    check: async (stage) => {
      const { stdout } = await stage.run("node01", "ipvsadm -lnc");
      const connections = connectionsOf(stdout, plan);
      const ok = connections.length === count && connections.every(hasPlausibleTimer);
      return { ok, evidence: countBy(connections.map(({ state }) => state)) };
    },
  };
}

/** The counts of `-ln` are those of the entries of `-lnc`. */
export function countsAgree(plan: LabPlan): Statement {
  return {
    says: "ActiveConn and InActConn of ipvsadm -ln are the numbers of those connections",
    check: async (stage) => {
      const { stdout: listing } = await stage.run("node01", "ipvsadm -ln");
      // Not shown: the step before has just shown the same.
      const { stdout } = await stage.run("node01", "ipvsadm -lnc", { isQuiet: true });
      const connections = connectionsOf(stdout, plan);
      const destinations = parseServices(listing)[0]?.destinations ?? [];
      const differences = destinations.filter((one) => !agrees(one, connections));
      const evidence = destinations.map(
        ({ at, active, inactive }) => `${at} ${active} active, ${inactive} inactive`,
      );
      return {
        ok: destinations.length > 0 && differences.length === 0,
        evidence: evidence.join("; "),
      };
    },
  };
}

function agrees(listed: ListedDestination, connections: readonly ListedConnection[]): boolean {
  const own = connections.filter(({ destination }) => destination === listed.at);
  const active = own.filter(isActive).length;
  return listed.active === active && listed.inactive === own.length - active;
}

export function connectionsOf(listing: string, plan: LabPlan): readonly ListedConnection[] {
  return parseConnections(listing).filter(
    ({ client, virtual }) =>
      client.startsWith(endpoint(plan.client, "")) && virtual === endpoint(plan.vip, 80),
  );
}

/** The director's daemon takes along what it put into the host. */
/** `graceSeconds`: how long its rules keep the host away from its services' packets. */
export function leavesNoRule(stop: () => Promise<number | null>, graceSeconds = 0): Statement {
  const when = graceSeconds > 0 ? " when its grace is over" : "";
  return {
    says: `the director's daemon ends on SIGTERM and leaves no rule on node01${when}`,
    check: async (stage: Stage): Promise<Finding> => {
      const code = await stop();
      const list = async (isQuiet: boolean): Promise<string> =>
        (await stage.run("node01", "nft list ruleset", { isQuiet })).stdout.trim();
      for (let waited = 0; waited < graceSeconds * 2 && (await list(true)) !== ""; waited++) {
        await sleep(1_000);
      }
      const rules = await list(false);
      return {
        ok: code === 0 && rules === "",
        evidence: `exit code ${code}, ${rules === "" ? "nftables empty" : `nftables: ${rules}`}`,
      };
    },
  };
}
