/** A connection's life as the director sees it: the packets, and what its table says after each. */
import { DirectorRun, FLAGS, type Segment } from "./director-run.ts";
import { drawLadder, type Rung } from "./ladder.ts";

const CLIENT = "192.168.150.1";
const VIP = "192.168.150.100";
const SERVER = "192.168.150.12";
const CLIENT_PORT = 40_000;

interface Scene {
  /** Who sends, and what; seconds that pass before. */
  readonly packets: readonly (readonly [
    from: "client" | "server",
    says: string,
    flags: number,
    wait?: number,
  ])[];
  /** Nobody takes in what comes to the server. */
  readonly isServerDeaf?: boolean;
}

export const WHOLE: Scene = {
  packets: [
    ["client", "SYN", FLAGS.syn],
    ["server", "SYN ACK", FLAGS.synAck],
    ["client", "ACK", FLAGS.ack],
    ["client", "GET /", FLAGS.ack],
    ["server", "200 OK", FLAGS.ack],
    ["server", "FIN", FLAGS.finAck],
    ["client", "FIN", FLAGS.finAck],
    ["server", "ACK", FLAGS.ack],
  ],
};

export const DEAF: Scene = {
  packets: [
    ["client", "SYN", FLAGS.syn],
    ["client", "SYN", FLAGS.syn, 1],
    ["client", "SYN", FLAGS.syn, 2],
  ],
  isServerDeaf: true,
};

export function drawConnection(title: string, { packets, isServerDeaf = false }: Scene): string {
  const run = new DirectorRun({
    vip: VIP,
    own: "192.168.150.11",
    scheduler: "rr",
    servers: [{ address: SERVER }],
  });
  const rungs = packets.flatMap(([from, says, flags, wait = 0]): Rung[] => {
    run.wait(wait);
    const words = [{ text: says }];
    if (from === "server") {
      // Past the director: nothing of it is seen there.
      return [{ from: 2, to: 0, meaning: "server", lines: [words], beside: [] }];
    }
    const segment: Segment = { from: CLIENT, fromPort: CLIENT_PORT, to: VIP, toPort: 80, flags };
    run.send(segment);
    const { state, expiresInMs } = run.connections()[0]!;
    const { active, inactive } = run.load(SERVER);
    const minutes = Math.floor(expiresInMs / 60_000);
    const seconds = Math.round(expiresInMs / 1000) % 60;
    const time = [minutes, seconds].map((each) => `${each}`.padStart(2, "0")).join(":");
    const beside = [{ text: `${time}  ${state.padEnd(12)} ${active}         ${inactive}` }];
    return [
      { from: 0, to: 1, meaning: "client", lines: [words] },
      { from: 1, to: 2, meaning: "director", lines: [words], isLost: isServerDeaf, beside },
    ];
  });
  return drawLadder({
    title,
    width: 800,
    columns: [
      { x: 60, name: "client", meaning: "client", notes: [] },
      { x: 235, name: "node01", meaning: "director", notes: [] },
      { x: 410, name: "node02", meaning: "server", notes: [] },
    ],
    rungs,
    besideX: 462,
    besideHead: [{ text: "expire state        ActiveConn InActConn", meaning: "director" }],
  });
}
