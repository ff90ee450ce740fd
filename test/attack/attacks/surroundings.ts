/** What an operator, a supervisor or the host does to the daemon. */
import { setTimeout as sleep } from "node:timers/promises";
import { LANE_DEVICE } from "../../../src/engine/userspace/door/door-words.ts";
import type { Attack } from "../attack.ts";

const STOPPED_SECONDS = { long: 20, short: 3 };

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
