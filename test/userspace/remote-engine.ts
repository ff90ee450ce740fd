/** An engine that runs in another process (engine-process.ts), as if it were here. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type {
  Condition,
  ConnectionStatus,
  Engine,
  Load,
  ServiceStatus,
} from "../../src/engine/engine.ts";
import type { DesiredState } from "../../src/ipvs/desired/desired-state.ts";
import { type Fault, LbError } from "../../src/ipvs/desired/errors.ts";
import type { ServiceKey } from "../../src/ipvs/desired/service.ts";
import type { Sysctls } from "../../src/ipvs/desired/sysctls.ts";
import type { Ended } from "../../src/ipvs/inquiry/ending.ts";
import type { ConnectionFilter } from "../../src/ipvs/inquiry/filter.ts";
import type { ConnectionSummary, SummaryOptions } from "../../src/ipvs/inquiry/summary.ts";
import type { Counters, Rates } from "../../src/ipvs/services/statistics.ts";
import { Conversation } from "./conversation.ts";
import { decode, encode } from "./engine-json.ts";

type Reply = { readonly value: unknown } | { readonly fault: Fault } | { readonly message: string };

export class RemoteEngine implements Engine {
  readonly name: string;
  readonly connectionTableSize: number;
  readonly #conversation: Conversation;

  private constructor(name: string, connectionTableSize: number, conversation: Conversation) {
    this.name = name;
    this.connectionTableSize = connectionTableSize;
    this.#conversation = conversation;
  }

  static async in(name: string, child: ChildProcessWithoutNullStreams): Promise<RemoteEngine> {
    const conversation = new Conversation(child);
    await conversation.hear();
    const answer = await conversation.ask(encode(["connectionTableSize"]));
    const { value } = decode(answer) as { readonly value: number };
    return new RemoteEngine(name, value, conversation);
  }

  apply(...steps: DesiredState[]): Promise<void> {
    return this.#call("apply", steps);
  }

  services(): Promise<readonly ServiceStatus[]> {
    return this.#call("services");
  }

  async *connections(filter: ConnectionFilter = {}): AsyncGenerator<ConnectionStatus> {
    yield* await this.#call<ConnectionStatus[]>("connections", filter);
  }

  countConnections(filter: ConnectionFilter, options: SummaryOptions): Promise<ConnectionSummary> {
    return this.#call("countConnections", { filter, options });
  }

  async *endConnections(filter: ConnectionFilter): AsyncGenerator<Ended> {
    yield* await this.#call<Ended[]>("endConnections", filter);
  }

  totals(): Promise<{ counters: Counters; rates: Rates }> {
    return this.#call("totals");
  }

  zero(key: ServiceKey | undefined): Promise<void> {
    return this.#call("zero", key);
  }

  sysctls(): Promise<Sysctls> {
    return this.#call("sysctls");
  }

  reasons(): Promise<Readonly<Record<string, number>>> {
    return this.#call("reasons");
  }

  load(): Promise<Load> {
    return this.#call("load");
  }

  condition(): Promise<Condition> {
    return this.#call("condition");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#conversation.end();
  }

  async #call<Value>(method: string, argument?: unknown): Promise<Value> {
    const reply = decode(await this.#conversation.ask(encode([method, argument]))) as Reply;
    if ("fault" in reply) throw new LbError(reply.fault);
    if ("message" in reply) throw new Error(reply.message);
    return reply.value as Value;
  }
}
