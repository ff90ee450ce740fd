/** `sluice daemon` in a director's network namespace, with its socket and state in a directory of its own. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "../../src/api/client.ts";
import type { Namespace } from "../userspace/namespaces.ts";
import { untilPrinted } from "../userspace/namespaces.ts";

/** What bin/sluice starts: with a bundle of the sources a daemon takes half of the processor's time to begin. */
const START = new URL("../../scripts/start.ts", import.meta.url).pathname;
/** V8's young generation as scripts/run-entry has it: what a daemon's memory is measured with. */
const SLUICE = ["--max-semi-space-size=8", START, "sluice"] as const;
const COMMAND = new URL("../../bin/sluice", import.meta.url).pathname;
const IPVSADM = new URL("../../bin/ipvsadm", import.meta.url).pathname;

/**
 * Unless a test says otherwise: it does not wait for what one daemon left, and has the engine that any machine runs, which begins
 * without programs that the kernel looks through for half a second. What the kernel engine does otherwise has tests that ask for it.
 */
const DEFAULTS = ["--grace", "0", "--engine", "userspace"];

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where a daemon keeps what outlives it: several can follow each other. */
export class DaemonHome implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), "sluice-test-"));

  #pins: string | undefined;

  get socket(): string {
    return join(this.directory, "sluice.sock");
  }

  /** Where a test writes its sluice.yaml. */
  get configuration(): string {
    return join(this.directory, "sluice.yaml");
  }

  get state(): string {
    return join(this.directory, "state.json");
  }

  /**
   * A BPF file system beside the socket, so that what daemons leave in it outlives them: each of them sees the mounts of this
   * process, and has its own beside.
   */
  mountPins(): void {
    const place = join(this.directory, "bpf");
    mkdirSync(place);
    execFileSync("mount", ["-t", "bpf", "bpf", place]);
    this.#pins = place;
  }

  /** What daemons have left in that file system. */
  pinned(): string[] {
    const folder = join(this.#pins ?? this.directory, "sluice");
    return existsSync(folder) ? readdirSync(folder) : [];
  }

  /** The daemon, when it runs. Rejects with its complaints when it ends instead. */
  async start(host: Namespace, ...options: readonly string[]): Promise<Daemon> {
    const child = this.launch(host, ...options);
    await untilPrinted(child, "the director runs");
    return new Daemon(child, this.socket);
  }

  /** As start(), one that keeps no state. */
  async startWithoutState(host: Namespace, ...options: readonly string[]): Promise<Daemon> {
    const given = ["--socket", this.socket, "--no-state", ...DEFAULTS, ...options];
    const child = host.startNode(...SLUICE, "daemon", ...given);
    await untilPrinted(child, "the director runs");
    return new Daemon(child, this.socket);
  }

  /** Where a daemon in this namespace has its connections. */
  connections(host: Namespace): string {
    const path = `/proc/self/ns/net`;
    const inode = /\d+/.exec(host.run(`readlink ${path}`))![0];
    return join(this.directory, `connections.${inode}`);
  }

  /** The daemon, however far it gets. */
  launch(host: Namespace, ...options: readonly string[]): ChildProcessWithoutNullStreams {
    const paths = ["--socket", this.socket, "--state", this.state];
    return host.startNode(...SLUICE, "daemon", ...paths, ...DEFAULTS, ...options);
  }

  /** As launch(), with what else a shell may bring about before: `script` ends in "$@". */
  launchBy(
    host: Namespace,
    script: string,
    ...options: readonly string[]
  ): ChildProcessWithoutNullStreams {
    const words = [process.execPath, "--disable-warning=ExperimentalWarning", ...SLUICE, "daemon"];
    const paths = ["--socket", this.socket, "--state", this.state];
    return host.start("sh", "-c", script, "sh", ...words, ...paths, ...DEFAULTS, ...options);
  }

  /** As launch(), by another user, who may do as he likes with the directory. */
  launchAs(host: Namespace, user: string): ChildProcessWithoutNullStreams {
    chmodSync(this.directory, 0o777);
    const words = ["--reuid", user, "--regid", user, "--clear-groups", process.execPath, ...SLUICE];
    return host.start(
      "setpriv",
      ...words,
      "daemon",
      "--socket",
      this.socket,
      "--no-state",
      ...DEFAULTS,
    );
  }

  /** Runs an ipvsadm command line; an input is for -R. */
  ipvsadm(line: string, input = ""): CommandResult {
    return this.#run(IPVSADM, line.split(" "), input);
  }

  /** Runs an ipvsadm command line with a user and groups of its own. */
  ipvsadmAs(user: string, groups: readonly string[], line: string): CommandResult {
    chmodSync(this.directory, 0o755);
    const [group = "", ...others] = groups;
    const more = others.length === 0 ? "--clear-groups" : `--groups=${others.join(",")}`;
    const words = ["--reuid", user, "--regid", group, more, IPVSADM, ...line.split(" ")];
    return this.#run("setpriv", words, "");
  }

  /** Runs a command line of `sluice`. */
  sluice(line: string): CommandResult {
    return this.#run(COMMAND, line.split(" "), "");
  }

  /** Carries out command lines that must succeed: several at once, for a process takes longer than a line. */
  configure(...lines: readonly string[]): void {
    const [only] = lines;
    const isOne = lines.length === 1;
    const { code, stderr } = isOne
      ? this.ipvsadm(only!)
      : this.ipvsadm("-R", lines.map((line) => `${line}\n`).join(""));
    if (code !== 0) throw new Error(`ipvsadm ${lines.join("; ")} ended with ${code}: ${stderr}`);
  }

  #run(program: string, words: readonly string[], input: string): CommandResult {
    const { status, stdout, stderr } = spawnSync(program, words, {
      encoding: "utf8",
      input,
      env: { ...process.env, SLUICE_SOCKET: this.socket },
    });
    return { code: status, stdout, stderr };
  }

  /** With the file system all goes that is kept in it. */
  [Symbol.dispose](): void {
    if (this.#pins !== undefined) {
      rmSync(join(this.#pins, "sluice"), { recursive: true, force: true });
      // It has gone already where the last daemon left nothing in it.
      spawnSync("umount", ["--lazy", this.#pins], { stdio: "ignore" });
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export class Daemon {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #client: Client;
  #log = "";

  constructor(child: ChildProcessWithoutNullStreams, socket: string) {
    this.#child = child;
    this.#client = new Client(socket);
    child.stdout.on("data", (chunk: Buffer) => {
      this.#log += chunk.toString();
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** What it logged since it ran: the messages. */
  get messages(): string[] {
    const lines = this.#log.split("\n").slice(0, -1);
    return lines.map((line) => (JSON.parse(line) as { readonly msg: string }).msg);
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** How many packets left for this reason. */
  async count(reason: string): Promise<number> {
    return (await this.reasons())[reason] ?? 0;
  }

  reasons(): Promise<Readonly<Record<string, number>>> {
    return this.#client.call("reasons", {}, undefined);
  }

  /** Adds a service that tells nothing but its port, by the API. Rejects when it is not acknowledged. */
  async addService(port: number): Promise<void> {
    await this.#client.call(
      "addService",
      {},
      {
        key: { kind: "endpoint", protocol: "tcp", endpoint: { address: "10.0.0.1", port } },
        scheduler: "rr",
        schedulerFlags: [],
        onePacket: false,
        persistence: null,
        persistenceEngine: null,
      },
    );
  }

  /** Resolves with the exit code, or null when the signal ended it. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const ended = once(this.#child, "exit");
    this.#child.kill(signal);
    const [code] = (await ended) as [number | null];
    return code;
  }
}
