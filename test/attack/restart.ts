/**
 * A daemon that is killed again and again under load, the next one started at once: what its clients notice.
 *
 *     restart.ts ROUNDS       prints Figures
 */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { DaemonHome } from "../e2e/daemon.ts";
import { Network, R1, V } from "../e2e/network.ts";
import { untilPrinted } from "../userspace/namespaces.ts";
import type { ClientFigures } from "./restart-client.ts";

const CLIENT = new URL("./restart-client.ts", import.meta.url).pathname;
/** How long a daemon runs at most before it is killed. */
const RUNS_MS = 100;

export interface RestartFigures extends ClientFigures {
  readonly rounds: number;
  /** Connections that the daemons after the first went on with, and those that were found half written, altogether. */
  readonly adopted: number;
  readonly damaged: number;
  /** What a daemon took from the start of its process until it ran, in milliseconds. */
  readonly startMedianMs: number;
  readonly startSlowestMs: number;
}

/** Kills the daemon `rounds` times. Connections through it are masqueraded (port 80) and directly routed (port 81). */
export async function killUnderLoad(rounds: number): Promise<RestartFigures> {
  using network = new Network();
  using home = new DaemonHome();
  const { server, director, client } = network;
  for (const port of [80, 81]) await network.speak(server, port);
  network.hideVip();
  server.batch(["rule add from 10.9.0.100 lookup 100", "route add default via 10.2.0.1 table 100"]);
  let daemon = home.launch(director, "--grace", "5");
  await untilPrinted(daemon, "the director runs");
  home.configure(
    `-A -t ${V}:80 -s rr`,
    `-a -t ${V}:80 -r ${R1} -m`,
    `-A -t ${V}:81 -s rr`,
    `-a -t ${V}:81 -r ${R1} -g`,
  );
  const load = client.startNode(CLIENT, `${V}:80`, `${V}:81`);
  await untilPrinted(load, "holding");
  const startsMs: number[] = [];
  let adopted = 0;
  let damaged = 0;
  for (let round = 0; round < rounds; round++) {
    await kill(daemon);
    const begin = performance.now();
    daemon = home.launch(director, "--grace", "5");
    const said = await untilPrinted(daemon, "the director runs");
    startsMs.push(performance.now() - begin);
    adopted += Number(/goes on with (\d+)/.exec(said)?.[1] ?? 0);
    damaged += Number(/(\d+) were not whole/.exec(said)?.[1] ?? 0);
    await sleep(Math.random() * RUNS_MS);
  }
  load.stdin.end();
  const told = JSON.parse(await untilPrinted(load, "}\n")) as ClientFigures;
  await kill(daemon);
  startsMs.sort((one, other) => one - other);
  return {
    ...told,
    rounds,
    adopted,
    damaged,
    startMedianMs: Math.round(startsMs[startsMs.length >> 1] ?? 0),
    startSlowestMs: Math.round(startsMs.at(-1) ?? 0),
  };
}

async function kill(daemon: ChildProcessWithoutNullStreams): Promise<void> {
  const ended = once(daemon, "exit");
  daemon.kill("SIGKILL");
  await ended;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(await killUnderLoad(Number(process.argv[2] ?? 1000)));
}
