/**
 * What systemd, or who else started the daemon, is told of it: sd_notify(3). READY=1 when packets flow and the
 * configuration is in force, RELOADING=1 while it is read again, STOPPING=1 at the end, a sentence for `systemctl status`,
 * and WATCHDOG=1 for as long as the loop that forwards packets goes round.
 */
import { errnoName, SystemCallError } from "../engine/host/system/libc.ts";
import { UnixDatagrams, unixAddress } from "../engine/host/system/unix-datagrams.ts";

/** How often the sentence is looked at where nobody watches. */
const LOOK_MS = 10_000;

/** Of sd_watchdog_enabled(3): to be told twice within the time after which the service manager acts. */
const TICKS = 2;

const MICROSECONDS_IN_MS = 1_000;
const NANOSECONDS_IN_MICROSECOND = 1_000n;

type Environment = Readonly<Record<string, string | undefined>>;

export interface ServiceManagerEvents {
  /** It cannot be told; said once. */
  readonly onTrouble: (message: string) => void;
}

/** Reloads and status, for those who bring them about; with nobody to tell, nothing happens. */
export interface Told {
  /** A reload begins; over when it resolves, with what `systemctl status` shall say of it if it failed. Never rejects. */
  during(reload: Promise<string | undefined>): void;
}

export class ServiceManager implements Told, Disposable {
  readonly #datagrams: UnixDatagrams;
  readonly #events: ServiceManagerEvents;
  readonly #timer: NodeJS.Timeout;
  #status: () => string = () => "starting";
  /** What the last reload that failed left to say. */
  #complaint: string | undefined;
  #toldStatus = "";
  #reloads = 0;
  #isReady = false;
  #hasComplained = false;

  /** Undefined when nobody asked for it. What says so is taken out of the environment: it is not for our children. */
  static open(
    environment: Record<string, string | undefined>,
    events: ServiceManagerEvents,
  ): ServiceManager | undefined {
    const name = environment.NOTIFY_SOCKET;
    const watchdogMs = watchdogOf(environment, process.pid);
    for (const key of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete environment[key];
    if (name === undefined || name === "") return undefined;
    const address = unixAddress(name);
    if (address === undefined) {
      events.onTrouble(`the service manager is not told: NOTIFY_SOCKET ${name} is no unix socket`);
      return undefined;
    }
    try {
      const datagrams = new UnixDatagrams(address, "tell the service manager");
      return new ServiceManager(datagrams, watchdogMs, events);
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      events.onTrouble(`the service manager is not told: ${error.message}`);
      return undefined;
    }
  }

  private constructor(
    datagrams: UnixDatagrams,
    watchdogMs: number | undefined,
    events: ServiceManagerEvents,
  ) {
    this.#datagrams = datagrams;
    this.#events = events;
    const isWatched = watchdogMs !== undefined;
    // In the very loop that forwards packets: when that stands still, so does this.
    this.#timer = setInterval(
      () => this.#say(...(isWatched ? ["WATCHDOG=1"] : []), ...this.#newStatus()),
      isWatched ? watchdogMs / TICKS : LOOK_MS,
    );
    this.#timer.unref();
  }

  /** Packets flow. `status`: a sentence of how things are, asked from time to time. */
  ready(status: () => string): void {
    this.#status = status;
    this.#isReady = true;
    if (this.#reloads === 0) this.#say("READY=1", ...this.#newStatus());
  }

  during(reload: Promise<string | undefined>): void {
    // One that is asked for before all is ready belongs to the start.
    if (this.#reloads++ === 0 && this.#isReady) {
      const now = process.hrtime.bigint() / NANOSECONDS_IN_MICROSECOND;
      this.#say("RELOADING=1", `MONOTONIC_USEC=${now}`);
    }
    void reload.then((complaint) => {
      this.#complaint = complaint;
      if (--this.#reloads === 0 && this.#isReady) this.#say("READY=1", ...this.#newStatus());
    });
  }

  stopping(): void {
    this.#isReady = false;
    this.#status = () => "ending";
    this.#complaint = undefined;
    this.#say("STOPPING=1", ...this.#newStatus());
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#datagrams[Symbol.dispose]();
  }

  #newStatus(): readonly string[] {
    const status = [this.#status(), ...(this.#complaint ?? "").split("\n").slice(0, 1)]
      .filter((part) => part !== "")
      .join("; ");
    if (status === this.#toldStatus) return [];
    this.#toldStatus = status;
    return [`STATUS=${status}`];
  }

  #say(...lines: readonly string[]): void {
    if (lines.length === 0) return;
    const result = this.#datagrams.send(lines.join("\n"));
    if (result === 0 || this.#hasComplained) return;
    this.#hasComplained = true;
    this.#events.onTrouble(`the service manager cannot be told: ${errnoName(-result)}`);
  }
}

/** After how long without a word this process would be restarted; undefined: nobody watches it. */
export function watchdogOf(
  { WATCHDOG_USEC: text = "", WATCHDOG_PID: watched }: Environment,
  pid: number,
): number | undefined {
  if (watched !== undefined && watched !== "" && watched !== String(pid)) return undefined;
  const ms = /^\d{1,15}$/.test(text) ? Number(text) / MICROSECONDS_IN_MS : 0;
  return ms > 0 ? ms : undefined;
}
