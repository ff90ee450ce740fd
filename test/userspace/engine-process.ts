/**
 * The userspace engine in a process of its own, for tests: runs inside of the director's network namespace.
 *
 * Each line of its standard input is `[method, ...arguments]` of Engine; a line of JSON answers it, `{ value }` or
 * `{ fault }` or `{ message }`. Ends, the engine disposed, when its standard input ends.
 */
import { createInterface } from "node:readline";
import type { Engine } from "../../src/engine/engine.ts";
import type { Stand } from "../../src/engine/userspace/door/door-words.ts";
import { UserspaceEngine } from "../../src/engine/userspace/engine.ts";
import type { DesiredState } from "../../src/ipvs/desired-state.ts";
import { LbError } from "../../src/ipvs/errors.ts";
import type { ServiceKey } from "../../src/ipvs/service.ts";
import { decode, encode } from "./engine-json.ts";

const engine: Engine = await UserspaceEngine.open({
  connectionsMax: 10_000,
  ...(process.argv[2] === undefined ? {} : { stand: process.argv[2] as Stand }),
  events: {
    warn: (message, error) => process.stderr.write(`${message}: ${String(error)}\n`),
    inform: (message) => process.stderr.write(`${message}\n`),
  },
});
say("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const [method, argument] = decode(line) as [string, unknown];
  try {
    say({ value: (await call(method, argument)) ?? null });
  } catch (error) {
    say(error instanceof LbError ? { fault: error.fault } : { message: String(error) });
  }
}
await engine[Symbol.asyncDispose]();

async function call(method: string, argument: unknown): Promise<unknown> {
  switch (method) {
    case "apply":
      return engine.apply(...(argument as DesiredState[]));
    case "services":
      return engine.services();
    case "connections":
      return collect(engine.connections());
    case "totals":
      return engine.totals();
    case "zero":
      return engine.zero((argument ?? undefined) as ServiceKey | undefined);
    case "sysctls":
      return engine.sysctls();
    case "reasons":
      return engine.reasons();
    case "condition":
      return engine.condition();
    case "connectionTableSize":
      return engine.connectionTableSize;
    default:
      throw new RangeError(`'${method}' is nothing that an engine does`);
  }
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

function say(value: unknown): void {
  process.stdout.write(`${encode(value)}\n`);
}
