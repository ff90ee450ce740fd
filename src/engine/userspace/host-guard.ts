/**
 * Takes the services' packets away from the host's own stack, by a table of nftables that lives as long as we do.
 *
 * docs/decisions/0002: the table belongs to a child process (`flags owner`). However this process ends, the child's
 * standard input closes, the child ends, and the kernel removes the table.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { EMPTY_STATE } from "../../ipvs/desired-state.ts";
import { GuardRules, type GuardSets } from "./guard-rules.ts";

/** Before connection tracking's defragmentation (-400 runs first), raw (-300) and all filters. */
const PRIORITY = -310;
/** What nft prints when a command of ours has been done: the echo of a marker. */
const ANSWER_TIMEOUT_MS = 10_000;

const FAMILIES = ["inet", "inet6"] as const;
const KINDS = ["to", "toAnyPort", "from"] as const;

type Family = (typeof FAMILIES)[number];
type Kind = (typeof KINDS)[number];

const ADDRESS_TYPE = { inet: "ipv4_addr", inet6: "ipv6_addr" } as const;
const MATCH_FAMILY = { inet: "ip", inet6: "ip6" } as const;

/** nft(8) could not do what it was asked, in its own words. */
export class GuardError extends Error {
  override readonly name = "GuardError";
}

export class HostGuard implements AsyncDisposable {
  readonly #table: string;
  /** Packets that come in here were handed back, and are the host's. */
  readonly #laneInterface: string;
  readonly #onLost: (error: GuardError) => void;
  #child: ChildProcessWithoutNullStreams;
  #output = "";
  #waiting: { resolve: (text: string) => void; marker: string } | undefined;
  #current = new GuardRules(EMPTY_STATE);
  #closing = false;
  #queue: Promise<unknown> = Promise.resolve();
  #counter = 0;

  private constructor(table: string, laneInterface: string, onLost: (error: GuardError) => void) {
    this.#table = table;
    this.#laneInterface = laneInterface;
    this.#onLost = onLost;
    this.#child = this.#start();
  }

  /** Makes the empty table. `onLost` is called when the table goes without us: the services' packets reach the host. */
  static async open(
    laneInterface: string,
    onLost: (error: GuardError) => void,
  ): Promise<HostGuard> {
    const guard = new HostGuard(`sluice_${process.pid}`, laneInterface, onLost);
    try {
      await guard.#run(guard.#creation());
    } catch (error) {
      await guard[Symbol.asyncDispose]();
      throw error;
    }
    return guard;
  }

  /** Makes the sets equal to `rules`, in one transaction: all or, when it throws, nothing changed. */
  update(rules: GuardRules): Promise<void> {
    const done = this.#queue.then(async () => {
      const commands = this.#difference(this.#current, rules);
      if (commands !== "") await this.#run(commands);
      this.#current = rules;
    });
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.stdin.end();
    await ended;
  }

  #start(): ChildProcessWithoutNullStreams {
    const child = spawn("nft", ["-i"], {
      stdio: "pipe",
      // Its own process group: a Ctrl-C in the terminal is ours to handle, the guard goes last.
      detached: true,
      env: { ...process.env, PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin` },
    });
    const collect = (chunk: string): void => {
      this.#output += chunk;
      this.#settle();
    };
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);
    child.stdin.on("error", () => undefined);
    child.on("error", (error) => this.#lost(`cannot run nft: ${error.message}`));
    child.on("exit", (code, signal) => this.#lost(`nft ended (${signal ?? code})`));
    return child;
  }

  #lost(why: string): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(`Error: ${why}`);
    if (!this.#closing) this.#onLost(new GuardError(why));
  }

  /** Sends commands that nft takes as one transaction, and waits until they are done. */
  async #run(commands: string): Promise<void> {
    const marker = `sluice-${++this.#counter}`;
    const answer = new Promise<string>((resolve, reject) => {
      this.#waiting = { resolve, marker };
      setTimeout(
        () => reject(new GuardError(`nft did not answer within ${ANSWER_TIMEOUT_MS} ms`)),
        ANSWER_TIMEOUT_MS,
      ).unref();
    });
    this.#output = "";
    // Interactive nft runs a line at a time, so commands are joined by ";" and make one transaction. A table named as
    // the marker does not exist: the complaint about it says that everything before has been done.
    this.#child.stdin.write(`${commands}\nlist table inet ${marker}\n`);
    const output = await answer;
    const failure = /Error: .*/.exec(output)?.[0];
    if (failure !== undefined) throw new GuardError(`nft refused the rules: ${failure}`);
  }

  #settle(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const end = this.#output.indexOf(`list table inet ${waiting.marker}`);
    if (end < 0) return;
    this.#waiting = undefined;
    // The complaint's own "Error:" stands in the line before the quoted command.
    const before = this.#output.slice(0, end);
    waiting.resolve(before.slice(0, before.lastIndexOf("Error: ")));
  }

  #creation(): string {
    const table = this.#table;
    const sets = FAMILIES.flatMap((family) =>
      KINDS.map((kind) => {
        const type = `${ADDRESS_TYPE[family]} . inet_proto${kind === "toAnyPort" ? "" : " . inet_service"}`;
        return `add set inet ${table} ${setName(family, kind)} { type ${type}; }`;
      }),
    );
    const rules = FAMILIES.flatMap((family) => {
      const ip = MATCH_FAMILY[family];
      return [
        `${ip} daddr . meta l4proto . th dport @${setName(family, "to")} drop`,
        `${ip} daddr . meta l4proto @${setName(family, "toAnyPort")} drop`,
        `${ip} saddr . meta l4proto . th sport @${setName(family, "from")} drop`,
      ];
    });
    const chain = `add chain inet ${table} taken { type filter hook prerouting priority ${PRIORITY}; policy accept; }`;
    return [
      `add table inet ${table} { flags owner; }`,
      ...sets,
      chain,
      `add rule inet ${table} taken iifname { "lo", "${this.#laneInterface}" } accept`,
      ...rules.map((rule) => `add rule inet ${table} taken ${rule}`),
    ].join("; ");
  }

  #difference(before: GuardRules, after: GuardRules): string {
    const commands: string[] = [];
    for (const family of FAMILIES) {
      for (const kind of KINDS) {
        const had = before[family][kind];
        const wants = after[family][kind];
        commands.push(
          ...this.#change("delete", family, kind, missing(had, wants)),
          ...this.#change("add", family, kind, missing(wants, had)),
        );
      }
    }
    return commands.join("; ");
  }

  #change(verb: "add" | "delete", family: Family, kind: Kind, elements: string[]): string[] {
    if (elements.length === 0) return [];
    return [
      `${verb} element inet ${this.#table} ${setName(family, kind)} { ${elements.join(", ")} }`,
    ];
  }
}

function setName(family: Family, kind: Kind): string {
  return `${family}_${{ to: "to", toAnyPort: "to_any_port", from: "from" }[kind]}`;
}

/** What `these` have and `those` have not. */
function missing(these: GuardSets[Kind], those: GuardSets[Kind]): string[] {
  return [...these].filter((each) => !those.has(each));
}
