/** Health checks at work: the process that probes, and what keeps what it finds. Loaded when the first service is checked. */
import { type HealthEvent, HealthKeeper } from "./keeper.ts";
import { HealthMemory, remembered } from "./memory.ts";
import { ProberProcess } from "./prober/process.ts";

export interface HealthOptions {
  /** What runs prober/main.ts: a command and its words. */
  readonly program: readonly string[];
  /** Where is kept who was down, for a daemon that comes after this one. */
  readonly memory: string;
  readonly renew: (keyTexts: readonly string[]) => Promise<void>;
  readonly happened: (event: HealthEvent) => void;
  /** Something that is no server's fault, with what brought it about. */
  readonly warn: (message: string, error?: unknown) => void;
  readonly inform: (message: string) => void;
}

export interface Health extends Disposable {
  readonly keeper: HealthKeeper;
  /** Undefined while it is being started again. */
  readonly proberPid: number | undefined;
}

export async function openHealth(options: HealthOptions): Promise<Health> {
  const { program, warn, inform, renew, happened } = options;
  let prober: ProberProcess | undefined;
  const keeper = new HealthKeeper({
    order: (order) => prober?.order(order),
    renew,
    happened,
    failed: (error) => warn("what health checks found could not be put in force", error),
    remembered: await remembered(options.memory),
    now: () => performance.now(),
  });
  prober = new ProberProcess(program, {
    told: (told) => {
      if (told.trouble !== undefined) warn("a health check has a bug", new Error(told.trouble));
      if (told.warning !== undefined) warn(told.warning);
      if (told.notice !== undefined) inform(told.notice);
      keeper.hear(told);
    },
    started: () => queueMicrotask(() => keeper.orderAll()),
    died: (how) =>
      warn(
        `the process that asks servers ended (${how}): it is started again, and what it found holds`,
      ),
    recovered: () => inform("the process that asks servers runs again"),
  });
  const memory = new HealthMemory(options.memory, () => keeper.knownDown());
  return {
    keeper,
    get proberPid() {
      return prober?.pid;
    },
    [Symbol.dispose]: () => {
      memory[Symbol.dispose]();
      keeper[Symbol.dispose]();
      prober?.[Symbol.dispose]();
    },
  };
}
