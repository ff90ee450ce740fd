/** Whether a Redis server answers a PING, and is what it should be: its protocol is RESP. */
import { line } from "./conversation.ts";
import { checker, ProbeFailure, quoted } from "./probe.ts";
import type { RedisSettings } from "./redis-settings.ts";
import { converse } from "./secure-conversation.ts";

export const redis = checker<RedisSettings>(async (target, settings, signal) => {
  const { role, tls = false } = settings;
  const talk = await converse(target, settings, tls, signal);
  using server = talk.server;
  server.send("*1\r\n$4\r\nPING\r\n");
  const answer = await server.read("the answer to PING", line);
  // It answers, but not whom it does not know: only somebody with a password learns more.
  const isLocked = /^-(NOAUTH|NOPERM|WRONGPASS)\b/.test(answer);
  if (answer !== "+PONG" && !isLocked) {
    throw new ProbeFailure(`the answer to PING is ${quoted(answer)}`);
  }
  if (role === undefined)
    return { up: true, why: isLocked ? "answers, asks for a password" : "PONG", ...talk.told };

  server.send("*1\r\n$4\r\nROLE\r\n");
  const is = await server.read("the answer to ROLE", roleOf);
  return { up: is === role, why: is === role ? is : `is ${is}, expected ${role}`, ...talk.told };
});

/** An array whose first element is the role: `*3 $6 master ...`. */
function roleOf(received: Buffer): string | undefined {
  const lines = received.toString("latin1").split("\r\n");
  const [first, , name] = lines;
  if (lines.length < 2) return undefined;
  if (!first!.startsWith("*")) throw new ProbeFailure(`the answer to ROLE is ${quoted(first!)}`);
  if (lines.length < 4) return undefined;
  return name === "slave" ? "replica" : name;
}
