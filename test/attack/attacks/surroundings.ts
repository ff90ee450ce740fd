/** What an operator, a supervisor or the host does to the daemon. */
import { setTimeout as sleep } from "node:timers/promises";
import { LANE_DEVICE } from "../../../src/engine/userspace/door/door-words.ts";
import type { Attack } from "../attack.ts";

const STOPPED_SECONDS = { long: 20, short: 3 };

/** How long a daemon runs at most before it is killed. */
const RUNS_MS = 200;

/** In which a lane is laid anew. */
const LANE_MS = 5_000;

export const SURROUNDINGS: readonly Attack[] = [
  {
    name: "stopped",
    title: "SIGSTOP, then SIGCONT, while requests go on",
    mayFail: 1,
    async carryOut({ daemon }, { isShort }) {
      const seconds = STOPPED_SECONDS[isShort ? "short" : "long"];
      daemon.kill("SIGSTOP");
      await sleep(seconds * 1000);
      daemon.kill("SIGCONT");
      return `${seconds} s`;
    },
  },
  {
    name: "killed",
    title: "SIGKILL, again and again, and started anew at once",
    // Late they are, and how late the machine's speed says.
    mayFail: 1,
    stage: { daemonOptions: ["--grace", "5"] },
    async carryOut(stage, { isShort }) {
      const times = isShort ? 3 : 50;
      for (let time = 0; time < times; time++) {
        await stage.killDaemon();
        await stage.startDaemon();
        await sleep(RUNS_MS * Math.random());
      }
      return `${times} times`;
    },
  },
  {
    name: "lane-removed",
    title: "ip link del of the lane between the host and the daemon",
    mayFail: 1,
    async carryOut({ network }, { isShort }) {
      const times = isShort ? 1 : 3;
      for (let time = 0; time < times; time++) {
        network.director.run(`ip link del ${LANE_DEVICE}`);
        await sleep(LANE_MS);
        if (network.director.status(`ip link show ${LANE_DEVICE}`) !== 0) return "it stays away";
      }
      return `${times} times`;
    },
  },
];
