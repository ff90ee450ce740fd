/** Asks the daemon for all that is shown. */
import type { Client } from "../../api/client.ts";
import type { Status } from "../../api/messages.ts";
import { serviceNames } from "../names.ts";
import type { Answers } from "./scene.ts";

/** What is found out anew for it (findings, drift) takes the daemon longer: so long the last answer is good enough. */
const STATUS_LASTS_MS = 5_000;

export class Looker {
  readonly #client: Client;
  #words: Readonly<Record<string, string>> | undefined;
  #status: { readonly status: Status; readonly atMs: number } | undefined;

  constructor(client: Client) {
    this.#client = client;
  }

  /** `nowMs`: as the operator's clock has it. Rejects as Client.call() does. */
  async look(nowMs: number): Promise<Answers> {
    const client = this.#client;
    const info = await client.call("info", {}, undefined);
    if (info.pid !== this.#status?.status.pid) this.forget();
    this.#words ??= await client.call("reasonWords", {}, undefined);
    if (this.#status === undefined || nowMs - this.#status.atMs >= STATUS_LASTS_MS) {
      this.#status = { status: await client.call("status", {}, undefined), atMs: nowMs };
    }
    const { services } = await client.call("listServices", {}, undefined);
    const { rates } = await client.call("totals", {}, undefined);
    return {
      atMs: nowMs,
      info,
      status: this.#status.status,
      health: await client.call("health", {}, undefined),
      services,
      names: await serviceNames(client),
      totals: rates,
      reasons: await client.call("reasons", {}, undefined),
      reasonWords: this.#words,
    };
  }

  /** Another daemon may answer next. */
  forget(): void {
    this.#words = undefined;
    this.#status = undefined;
  }
}
