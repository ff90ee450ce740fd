/** One sitting at the screen: looks again and again, draws, and does what keys ask for. */
import { ApiError, Client } from "../../api/client.ts";
import { adviceFor } from "../ipvsadm/connect.ts";
import { nameOf } from "../pick-servers.ts";
import { type Key, press, settle } from "./keys.ts";
import { Looker } from "./look.ts";
import { listHeight, listLength, page } from "./page.ts";
import { type Row, rowsOf } from "./rows.ts";
import { type Answers, type Scene, sceneOf } from "./scene.ts";
import { openScreen, type Screen } from "./screen.ts";
import type { View, Wish } from "./view.ts";

/** A daemon with ten thousand servers does other things, too: it has this many times as long as it took. */
const REST_PER_LOOK = 3;
/** How long an answer may be missing before it is said. */
const SILENCE_MS = 3_000;
/** As sluice drain without --timeout. */
const DRAIN = { timeoutSeconds: 300, afterwards: "keep", force: false } as const;

export interface SessionOptions {
  readonly socketPath: string;
  readonly intervalMs: number;
  /** How it begins. */
  readonly view: View;
  /** Ends it from outside. */
  readonly signal: AbortSignal;
}

/** Resolves when somebody ended it. Rejects when the daemon does not answer at first. */
export async function sit(options: SessionOptions): Promise<void> {
  const { socketPath } = options;
  // What somebody asks for does not wait behind a long list.
  const lookClient = new Client(socketPath, "sluice top");
  const wishClient = new Client(socketPath, "sluice top");
  try {
    const looker = new Looker(lookClient);
    const first = await looker.look(Date.now());
    await new Session(first, options, looker, wishClient).run();
  } finally {
    lookClient.close();
    wishClient.close();
  }
}

class Session {
  readonly #options: SessionOptions;
  readonly #looker: Looker;
  readonly #wishClient: Client;
  readonly #screen: Screen;
  #answers: Answers;
  #scene: Scene;
  #view: View;
  #trouble: string | undefined;
  #rows: { readonly of: readonly unknown[]; readonly rows: readonly Row[] } | undefined;
  readonly #ended = Promise.withResolvers<void>();
  #isOver = false;
  #wakeUp: () => void = () => {};

  constructor(first: Answers, options: SessionOptions, looker: Looker, wishClient: Client) {
    this.#options = options;
    this.#view = options.view;
    this.#looker = looker;
    this.#wishClient = wishClient;
    this.#answers = first;
    this.#scene = sceneOf(first, undefined);
    this.#screen = openScreen({
      onKey: (key) => this.#onKey(key),
      onResize: () => this.#draw(),
    });
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    const end = (): void => this.#end();
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    this.#draw();
    void this.#lookOn();
    // So that one sees for how long there has been no answer.
    const clock = setInterval(() => this.#draw(), 1_000);
    try {
      await this.#ended.promise;
    } finally {
      clearInterval(clock);
      await this.#screen.close();
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#wakeUp();
    this.#ended.resolve();
  }

  async #lookOn(): Promise<void> {
    let tookMs = 0;
    while (!this.#isOver) {
      await this.#rest(Math.max(this.#options.intervalMs, tookMs * REST_PER_LOOK));
      if (this.#isOver) return;
      const began = performance.now();
      try {
        const answers = await this.#looker.look(Date.now());
        this.#scene = sceneOf(answers, this.#answers);
        this.#answers = answers;
        this.#trouble = undefined;
      } catch (error) {
        this.#trouble = troubleOf(error, this.#options.socketPath);
        this.#looker.forget();
      }
      tookMs = performance.now() - began;
      this.#draw();
    }
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #onKey(key: Key): void {
    const { view, wish, isEnd } = press(this.#view, key, this.#around());
    this.#view = view;
    if (isEnd === true) {
      this.#end();
      return;
    }
    this.#draw();
    if (wish !== undefined) void this.#fulfil(wish);
  }

  async #fulfil({ what, server }: Wish): Promise<void> {
    const found = this.#answers.services
      .flatMap((service) => service.destinations.map((destination) => ({ service, destination })))
      .find((each) => nameOf(each) === server.id);
    let message = `${server.id} is no longer there.`;
    if (found !== undefined) {
      const params = { service: found.service.key, destination: found.destination.endpoint };
      try {
        if (what === "drain") await this.#wishClient.call("drain", params, DRAIN);
        else await this.#wishClient.call("undrain", params, undefined);
        message = `${server.id}: ${what === "drain" ? "drained: sluice drain shows how far it is" : "gets new connections again"}.`;
      } catch (error) {
        message = `${server.id}: ${troubleOf(error, this.#options.socketPath)}`;
      }
    }
    this.#view = { ...this.#view, message };
    this.#draw();
    this.#wakeUp();
  }

  #draw(): void {
    if (this.#isOver) return;
    const around = this.#around();
    this.#view = settle(this.#view, around);
    const nowMs = Date.now();
    const silentMs = nowMs - this.#answers.atMs;
    const isSilent = silentMs > SILENCE_MS + this.#options.intervalMs;
    const trouble = this.#trouble ?? (isSilent ? "The daemon does not answer" : undefined);
    const link = { trouble, sinceMs: this.#answers.atMs, nowMs };
    const { size } = this.#screen;
    this.#screen.draw(
      page({ scene: this.#scene, rows: around.rows, view: this.#view, link, size }),
    );
  }

  #around() {
    const { size } = this.#screen;
    const rows = this.#rowsNow();
    const length = listLength(this.#scene, rows, this.#view, size.columns);
    return { scene: this.#scene, rows, length, height: listHeight(size) };
  }

  /** Of ten thousand servers they are not sorted anew for each key. */
  #rowsNow(): readonly Row[] {
    const { sort, isReversed, filter, isFlat, folds } = this.#view;
    const of = [this.#scene, sort, isReversed, filter, isFlat, folds];
    const isSame = this.#rows?.of.every((each, index) => each === of[index]) ?? false;
    if (!isSame) this.#rows = { of, rows: rowsOf(this.#scene, this.#view) };
    return this.#rows!.rows;
  }
}

function troubleOf(error: unknown, socketPath: string): string {
  if (error instanceof ApiError) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return message;
  return code === "ENOENT" || code === "ECONNREFUSED"
    ? `Nothing answers on ${socketPath}`
    : adviceFor(code, socketPath);
}
