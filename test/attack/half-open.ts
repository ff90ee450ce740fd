/** A flood of first packets that nobody answers, for a service of its own: it leaves half-open entries in the table. */
import type { ChildProcess } from "node:child_process";
import type { DaemonHome } from "../e2e/daemon.ts";
import { type Network, R1, V } from "../e2e/network.ts";
import type { FloodOrder } from "./flood.ts";

const FLOOD = new URL("./flood.ts", import.meta.url).pathname;
export const HALF_OPEN_PORT = 82;
/** It ends by itself after this, should nobody end it. */
const SECONDS = 3_600;

/** So many packets a second, from anywhere. The server hears them and says nothing. */
export function floodHalfOpen(
  { client, director, server }: Network,
  home: DaemonHome,
  rate: number,
): ChildProcess {
  server.run(
    `nft add table ip deaf; add chain ip deaf in { type filter hook input priority 0; }; add rule ip deaf in tcp dport ${HALF_OPEN_PORT} drop`,
  );
  home.configure(`-A -t ${V}:${HALF_OPEN_PORT} -s rr`, `-a -t ${V}:${HALF_OPEN_PORT} -r ${R1} -m`);
  const order: FloodOrder = {
    name: "syn",
    rate,
    seconds: SECONDS,
    target: {
      source: client.mac("outside"),
      destination: director.mac("outside"),
      address: V,
      port: HALF_OPEN_PORT,
    },
  };
  return client.startNode(FLOOD, "outside", JSON.stringify(order));
}
