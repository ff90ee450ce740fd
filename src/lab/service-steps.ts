/** The steps that differ between the laboratories in an address, a port and a letter. */
import type { Equipment } from "./equipment.ts";
import { countBy } from "./listing.ts";
import { ALTERNATES } from "./options.ts";
import { type HostName, REAL_SERVERS } from "./plan.ts";
import { HOLD_PATH } from "./real-server.ts";
import { alternate, parseAnswers, request, requestsInTurn, requestsTimeoutMs } from "./requests.ts";
import type { Step } from "./scenario.ts";
import { countsAgree, leavesNoRule, listsConnections, listsService } from "./statements.ts";

/** Web servers on both, seen from a host that reaches them. */
export function webServers({ plan, startWebServer }: Equipment, from: HostName): Step {
  const port = plan.realPort === 80 ? "" : `:${plan.realPort}`;
  return {
    title: "Web servers on node02 and node03",
    perform: async () => {
      for (const server of REAL_SERVERS) await startWebServer(server);
    },
    statements: REAL_SERVERS.map(({ host, rip }) => ({
      says: `${host} says "from ${rip}"`,
      check: async (stage) => {
        const { output } = await stage.attempt(from, request(`http://${rip}${port}/`));
        return { ok: output.trim() === `from ${rip}`, evidence: output.trim() };
      },
    })),
  };
}

/** The virtual service; `flag` and `forward` are ipvsadm's letter and word for the forwarding method. */
export function virtualService(equipment: Equipment, flag: string, forward: string): Step {
  const { plan, options, startDirector } = equipment;
  const service = `-t ${plan.vip}:80`;
  const port = plan.realPort === 80 ? "" : `:${plan.realPort}`;
  return {
    title: "The virtual service on node01",
    perform: async (stage) => {
      await startDirector();
      await stage.run("node01", `ipvsadm -A ${service} -s ${options.scheduler}`);
      for (const { rip } of REAL_SERVERS) {
        await stage.run("node01", `ipvsadm -a ${service} -r ${rip}${port} ${flag} -w 1`);
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
      const command = requestsInTurn(`http://${plan.vip}/`, count);
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
            answered.every((rip) => REAL_SERVERS.some((one) => one.rip === rip)),
          evidence: countBy(answered.map((rip) => `from ${rip}`)),
        }),
      },
      ...(doesAlternate
        ? [
            {
              says: `${scheduler} lets both take turns`,
              check: async () => ({
                ok: answered.length > 1 && alternate(answered),
                evidence: answered.map((rip) => rip.slice(rip.lastIndexOf("."))).join(" "),
              }),
            },
          ]
        : []),
    ],
  };
}

/** The connection table, with one connection that is still open. */
export function connectionTable({ plan, options }: Equipment): Step {
  let held = "";
  return {
    title: "The connections that node01 knows",
    perform: async (stage) => {
      const url = `http://${plan.vip}${HOLD_PATH}`;
      const { stdout } = await stage.run(
        "client",
        `curl -sN ${url} >/dev/null 2>&1 & echo $!; sleep 0.3`,
      );
      held = stdout.trim();
    },
    statements: [
      listsConnections(plan, options.requests + 1),
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
export function removal({ stopDirector }: Equipment): Step {
  return { title: REMOVAL_TITLE, statements: [leavesNoRule(stopDirector)] };
}

const REMOVAL_TITLE = "Everything is removed";
