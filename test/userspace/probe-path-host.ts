/**
 * A probe path in a process of its own, for tests: runs inside of a director's network namespace.
 *
 * Says "ready". A line of its standard input is answered by one: `want VIP>SERVER ...` by "done"; `tcp VIP>SERVER PORT` and
 * `udp VIP>SERVER PORT` by what came of a probe that goes that path, `ping VIP>SERVER 0` by what came of an echo request, `tcp SERVER PORT` by what came of a connection of the
 * host's own. To port
 * 82 a connection brings 4000 bytes. A server that has `@ipip`, `@gre` or `@gue` behind it is reached through that tunnel. "lost" and "restored" are what the path tells. Ends with its standard input.
 */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { icmp } from "../../src/health/checks/icmp.ts";
import { ProbePath } from "../../src/health/path/probe-path.ts";
import type { VipPath } from "../../src/health/path/vip-path.ts";
import type { Tunnel } from "../../src/ipvs/forward/tunnel.ts";
import { Address } from "../../src/net/address.ts";
import { toPort } from "../../src/net/port.ts";

const TUNNELS = {
  ipip: { kind: "tunnel", encapsulation: "ipip" },
  gre: { kind: "tunnel", encapsulation: "gre", checksum: "full" },
  gue: { kind: "tunnel", encapsulation: "gue", port: toPort(6_080), checksum: "full" },
} as const satisfies Record<string, Tunnel>;

const PROBE_MS = 700;
const say = (text: string): unknown => process.stdout.write(`${text}\n`);

const path = await ProbePath.open({
  warn: (message, error) => {
    console.error(message, error);
    say("lost");
  },
  inform: () => say("restored"),
});
say("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const [verb, ...words] = line.split(" ");
  if (verb === "want") {
    await path.want(words.flatMap((word) => [pathOf(word), { ...pathOf(word), isPing: true }]));
    say("done");
  } else say(await probe(verb!, words[0]!, Number(words[1])));
}
await path[Symbol.asyncDispose]();

async function probe(protocol: string, to: string, port: number): Promise<string> {
  const attempt = { tcp, udp, ping }[protocol]!;
  if (!to.includes(">")) return await attempt(to, port, 0);
  const wanted = { ...pathOf(to), isPing: protocol === "ping" };
  const way = path.wayOf(wanted);
  if (way.kind === "direct") return `direct: ${way.why}`;
  if (way.kind === "later") return "later";
  return await attempt(wanted.server.toString(), port, way.source.port);
}

function pathOf(word: string): VipPath {
  const [vip = "", server = "", tunnel] = word.split(/[>@]/);
  const ends = { vip: Address.parse(vip)!, server: Address.parse(server)! };
  return tunnel === undefined ? ends : { ...ends, tunnel: TUNNELS[tunnel as keyof typeof TUNNELS] };
}

/** What the server says, or why it does not. */
function tcp(host: string, port: number, localPort: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({ host, port, ...(localPort !== 0 && { localPort }) });
  let heard = "";
  socket.setEncoding("latin1").on("data", (text: string) => {
    heard += text;
  });
  socket.once("end", () => resolve(heard));
  socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  if (port === 82) socket.write(Buffer.alloc(4_000));
  socket.setTimeout(PROBE_MS, () => resolve("silence"));
  return promise.finally(() => socket.destroy());
}

async function ping(host: string, port: number, identifier: number): Promise<string> {
  const source = identifier === 0 ? {} : { source: { port: identifier } };
  const outcome = await icmp({ address: host, port, ...source }, {}, AbortSignal.timeout(PROBE_MS));
  return outcome.why;
}

function udp(host: string, port: number, localPort: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  socket.once("message", (bytes) => resolve(bytes.toString("latin1")));
  socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  const timer = setTimeout(() => resolve("silence"), PROBE_MS);
  socket.bind(localPort, () => socket.connect(port, host, () => socket.send("hello")));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.close();
  });
}
