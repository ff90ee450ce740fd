/** Clients of the daemon's socket, and whoever reads its log. */
import { createConnection, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Attack } from "../attack.ts";

const SECONDS = { long: 10, short: 3 };
const DESCRIPTORS = 1024;

export const INTERFACES: readonly Attack[] = [
  {
    name: "stuck-log-reader",
    title: "clients break off requests, and nobody reads what the daemon logs of it",
    mayFail: 0.05,
    stage: { isLogUnread: true, daemonOptions: ["--log-level", "debug"] },
    async carryOut({ home }, { isShort }) {
      const count = isShort ? 500 : 3_000;
      for (let each = 0; each < count; each++) {
        const socket = await open(home.socket);
        socket.write(
          "POST /v1/services HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\n{",
        );
        await sleep(1);
        socket.destroy();
      }
      await sleep(SECONDS.short * 1000);
      return `${count} requests`;
    },
  },
  {
    name: "idle-connections",
    title: `connections to the socket that say nothing, more than the daemon has descriptors (drop_entry=1)`,
    mayFail: 0.05,
    stage: { descriptors: DESCRIPTORS, sysctls: ["net.ipv4.vs.drop_entry=1"] },
    async carryOut({ home }, { isShort }) {
      const sockets = await openMany(home.socket, DESCRIPTORS + 200);
      await sleep(1000 * SECONDS[isShort ? "short" : "long"]);
      for (const socket of sockets) socket.destroy();
      return `${sockets.length} connections`;
    },
  },
  {
    name: "slow-clients",
    title:
      "clients of the socket that send their requests byte by byte, and do not read the answers",
    mayFail: 0.05,
    async carryOut({ home }, { isShort }) {
      const sockets = await openMany(home.socket, 100);
      for (const socket of sockets) {
        socket.pause();
        // Some at once, the answers of which nobody reads.
        socket.write("GET /v1/services HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(5));
        socket.write(
          "POST /v1/services HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n",
        );
      }
      const rounds = (SECONDS[isShort ? "short" : "long"] * 1000) / 100;
      for (let round = 0; round < rounds; round++) {
        for (const socket of sockets) socket.write("{");
        await sleep(100);
      }
      for (const socket of sockets) socket.destroy();
      return `${sockets.length} clients`;
    },
  },
];

async function openMany(path: string, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let each = 0; each < count; each++) sockets.push(await open(path));
  return sockets;
}

/** Resolves also when it is refused: the daemon may close as it likes. */
function open(path: string): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.on("error", () => resolve(socket));
    socket.once("connect", () => resolve(socket));
  });
}
