/**
 * What of the host's is to see every packet of balanced connections, not their first ones alone: rules that look at more than a
 * connection's ends (flow-rules.ts), the older iptables, which counts each packet, and connection tracking, which would take what
 * it sees of a TCP connection again, after packets went by unseen, for invalid.
 */
import { readFileSync } from "node:fs";
import { type FlowRules, readFlowRules } from "./flow-rules.ts";
import { NetfilterNews } from "./netfilter-news.ts";

/** Rules are not read more often than that. */
const PAUSE_MS = 100;

export interface OnlookersOptions {
  /** Rules have changed, or what nobody tells of has: `which` may be another. */
  readonly onChange: () => void;
  /** The rules have been read, and nothing else has changed: `which` may be another. */
  readonly onRead: () => void;
  readonly warn: (message: string, error: unknown) => void;
}

/** In words, of each. */
export interface Which {
  /** Of every protocol's packets. */
  readonly all: readonly string[];
  /** Of TCP's. */
  readonly tcp: readonly string[];
}

export class Onlookers implements Disposable {
  readonly #options: OnlookersOptions;
  readonly #news: NetfilterNews;
  /** Undefined: not known. */
  #rules: FlowRules | undefined;
  #legacy: readonly string[] = legacyTables();
  #tracks: boolean = tracksWindows();
  #isReading = false;
  /** While they are read they change, or too soon after. */
  #isDue = false;
  #pause: NodeJS.Timeout | undefined;
  #isOpen = true;
  #failures = 0;

  /** Throws a SystemCallError when the kernel refuses to tell of changes. */
  constructor(options: OnlookersOptions) {
    this.#options = options;
    this.#news = new NetfilterNews(() => {
      this.#rules = undefined;
      options.onChange();
      this.#read();
    });
    this.#read();
  }

  /** Undefined as long as it is not known: then each is to see each packet. */
  get which(): Which | undefined {
    const rules = this.#rules;
    if (rules === undefined) return undefined;
    const all = [...rules.chains, ...this.#legacy];
    const isChecking = this.#tracks || (rules.tracks && checksWindows());
    return { all, tcp: isChecking ? [WINDOWS] : [] };
  }

  /** Tables of the older iptables, of which nobody tells. To be called often: it costs two files. */
  lookForTables(): void {
    const legacy = legacyTables();
    if (legacy.join() === this.#legacy.join()) return;
    this.#legacy = legacy;
    this.#options.onChange();
  }

  /** Connection tracking that no rule of nftables asks for, and what it checks. */
  lookForTracking(): void {
    const tracks = tracksWindows();
    if (tracks === this.#tracks) return;
    this.#tracks = tracks;
    this.#options.onChange();
  }

  [Symbol.dispose](): void {
    this.#isOpen = false;
    clearTimeout(this.#pause);
    this.#news[Symbol.dispose]();
  }

  #read(): void {
    this.#isDue = true;
    if (this.#isReading || this.#pause !== undefined) return;
    this.#isReading = true;
    void this.#readOnce();
  }

  async #readOnce(): Promise<void> {
    this.#isDue = false;
    let rules: FlowRules | undefined;
    try {
      rules = await readFlowRules();
    } catch (error) {
      if (this.#failures++ === 0) this.#options.warn(UNREAD, error);
    }
    this.#isReading = false;
    if (!this.#isOpen) return;
    if (!this.#isDue && rules !== undefined) {
      this.#rules = rules;
      this.#options.onRead();
    }
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      if (this.#isDue || this.#rules === undefined) this.#read();
    }, PAUSE_MS).unref();
  }
}

const UNREAD =
  "the host's rules cannot be read: every packet of balanced connections goes through them";

const WINDOWS =
  "connection tracking checks TCP's sequence numbers (sysctl net.netfilter.nf_conntrack_tcp_be_liberal=1 ends that)";

/** Of the older iptables, of this network namespace; where they are another user's to read, whichever there are. */
export function legacyTables(): readonly string[] {
  return ["ip", "ip6"].flatMap((family) => {
    const path = `/proc/thread-self/net/${family}_tables_names`;
    try {
      return readFileSync(path, "latin1")
        .split("\n")
        .filter((name) => name !== "")
        .map((name) => `${family}tables-legacy -t ${name}`);
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      // The kernel has none of them.
      return code === "ENOENT"
        ? []
        : [`${family}tables-legacy, whose tables this user may not see (${code})`];
    }
  });
}

/** Whether connection tracking is at work here and checks windows: nf_conntrack_in_window(). */
function tracksWindows(): boolean {
  const entries = read("/proc/sys/net/netfilter/nf_conntrack_count");
  return entries !== "" && entries !== "0" && checksWindows();
}

function checksWindows(): boolean {
  return read("/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal") === "0";
}

/** Empty where there is no such file. */
function read(path: string): string {
  try {
    return readFileSync(path, "latin1").trim();
  } catch {
    return "";
  }
}
