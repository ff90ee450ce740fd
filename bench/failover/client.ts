/**
 * Begins a connection every so often, whatever became of those before, and tells of each: a line with when it began (as
 * the clock of all processes has it) and who answered, or "-".
 *
 *     client.ts ADDRESS PORT EVERY_MS PATIENCE_MS
 */
import { connect } from "node:net";

const [address = "", port = "", every = "", patience = ""] = process.argv.slice(2);

/**
 * Each has a port of its own: one from which a connection went to the dead server a moment ago would be taken for that
 * connection by any director, the kernel's as well.
 */
const PORTS = { first: 1_024, last: 60_999 } as const;
let localPort: number = PORTS.first;

setInterval(attempt, Number(every));

function attempt(): void {
  localPort = localPort === PORTS.last ? PORTS.first : localPort + 1;
  const at = performance.timeOrigin + performance.now();
  const socket = connect({ host: address, port: Number(port), localPort });
  let who = "";
  let isTold = false;
  const tell = (text: string): void => {
    if (isTold) return;
    isTold = true;
    process.stdout.write(`${at} ${text || "-"}\n`);
    socket.destroy();
  };
  socket.on("data", (bytes: Buffer) => {
    who += bytes.toString("latin1");
  });
  socket.on("end", () => tell(who));
  socket.on("error", () => tell("-"));
  socket.setTimeout(Number(patience), () => tell("-"));
}
