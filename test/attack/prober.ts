/**
 * A service's ordinary clients, beside an attack: runs inside of the client's network namespace.
 *
 *     node test/attack/prober.ts HOST PORT RATE HELD
 *
 * RATE requests a second, each on a connection of its own, whatever became of those before; and HELD connections that
 * stay and say something ten times a second. Says "ready"; each line of its standard input is answered by a Report of
 * the time since the last one, as JSON. Ends with its standard input.
 */
import { createConnection } from "node:net";
import { createInterface } from "node:readline";

export interface Report {
  readonly asked: number;
  readonly failed: number;
  /** Of those that were answered, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** When the last request began that failed or took longer than LATE_MS, as Date.now(); 0: none did. */
  readonly lastTrouble: number;
  /** Of the connections that stay, how many were broken. */
  readonly broken: number;
}

const REQUEST_TIMEOUT_MS = 2_000;
const LATE_MS = 500;
const HELD_INTERVAL_MS = 100;

const [host = "", port = "", rate = "", held = ""] = process.argv.slice(2);
let latencies: number[] = [];
let asked = 0;
let failed = 0;
let lastTrouble = 0;
let broken = 0;

for (let each = 0; each < Number(held); each++) await hold();
let next = performance.now();
const timer = setInterval(() => {
  // What a busy machine held up is made up for.
  for (; next <= performance.now(); next += 1000 / Number(rate)) void request();
}, 5);
process.stdout.write("ready\n");
for await (const _ of createInterface({ input: process.stdin })) say();
clearInterval(timer);
process.exit(0);

async function request(): Promise<void> {
  asked++;
  const began = Date.now();
  const from = performance.now();
  const isAnswered = await new Promise<boolean>((resolve) => {
    const socket = createConnection({ host, port: Number(port) });
    let text = "";
    socket.setTimeout(REQUEST_TIMEOUT_MS, () => socket.destroy());
    socket.on("connect", () => socket.write("who\n"));
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text.endsWith("\n")));
  });
  const took = performance.now() - from;
  if (isAnswered) latencies.push(took);
  else failed++;
  if (!isAnswered || took > LATE_MS) lastTrouble = Math.max(lastTrouble, began);
}

/** A connection that stays. */
async function hold(): Promise<void> {
  const socket = createConnection({ host, port: Number(port) });
  socket.write("hold\n");
  await new Promise((resolve, reject) => {
    socket.once("data", resolve);
    socket.once("error", reject);
  });
  socket.removeAllListeners("error");
  socket.on("error", () => {});
  socket.resume();
  const talk = setInterval(() => socket.write("and\n"), HELD_INTERVAL_MS);
  socket.on("close", () => {
    clearInterval(talk);
    broken++;
  });
  socket.setNoDelay(true);
}

function say(): void {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.floor((sorted.length - 1) * part)] ?? 0;
  const report: Report = { asked, failed, p50: at(0.5), p99: at(0.99), lastTrouble, broken };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  latencies = [];
  asked = failed = lastTrouble = broken = 0;
}
