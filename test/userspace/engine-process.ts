/**
 * An engine in a process of its own, for tests: runs inside of the director's network namespace. Its argument says which:
 * "kernel", "kernel wire", "kernel xdp", "kernel-clsact" with tc filters, or where the userspace engine stands.
 *
 * Each line of its standard input is `[method, ...arguments]` of Engine; a line of JSON answers it, `{ value }` or
 * `{ fault }` or `{ message }`. Ends, the engine disposed, when its standard input ends.
 */
import { createInterface } from "node:readline";
import type { Engine } from "../../src/engine/engine.ts";
import { KernelOffload } from "../../src/engine/kernel/kernel-offload.ts";
import type { Stand } from "../../src/engine/userspace/door/door-words.ts";
import { UserspaceEngine } from "../../src/engine/userspace/engine.ts";
import type { DesiredState } from "../../src/ipvs/desired/desired-state.ts";
import { LbError } from "../../src/ipvs/desired/errors.ts";
import type { ServiceKey } from "../../src/ipvs/desired/service.ts";
import type { ConnectionFilter } from "../../src/ipvs/inquiry/filter.ts";
import type { SummaryOptions } from "../../src/ipvs/inquiry/summary.ts";
import { decode, encode } from "./engine-json.ts";

const CONNECTIONS_MAX = 10_000;

const engine: Engine = await open(process.argv[2]);
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

async function open(kind: string | undefined): Promise<Engine> {
  const events = {
    warn: (message: string, error?: unknown) =>
      process.stderr.write(`${message}: ${String(error)}\n`),
    inform: (message: string) => process.stderr.write(`${message}\n`),
  };
  if (kind === undefined || !kind.startsWith("kernel")) {
    const stand = kind === undefined ? {} : { stand: kind as Stand };
    return await UserspaceEngine.open({ connectionsMax: CONNECTIONS_MAX, ...stand, events });
  }
  // So that the second packet of each connection is the kernel's.
  const offload = new KernelOffload({
    connectionsMax: CONNECTIONS_MAX,
    packetsSeen: 0,
    opensOnWire: kind === "kernel wire",
    hook: kind === "kernel-clsact" ? "clsact" : undefined,
    atXdp: kind === "kernel xdp",
    warn: events.warn,
  });
  return await UserspaceEngine.open({ connectionsMax: CONNECTIONS_MAX, events, offload });
}

async function call(method: string, argument: unknown): Promise<unknown> {
  switch (method) {
    case "apply":
      return engine.apply(...(argument as DesiredState[]));
    case "services":
      return engine.services();
    case "connections":
      return collect(engine.connections(argument as ConnectionFilter));
    case "countConnections": {
      const { filter, options } = argument as { filter: ConnectionFilter; options: SummaryOptions };
      return engine.countConnections(filter, options);
    }
    case "endConnections":
      return collect(engine.endConnections(argument as ConnectionFilter));
    case "totals":
      return engine.totals();
    case "zero":
      return engine.zero((argument ?? undefined) as ServiceKey | undefined);
    case "sysctls":
      return engine.sysctls();
    case "reasons":
      return engine.reasons();
    case "load":
      return engine.load();
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
