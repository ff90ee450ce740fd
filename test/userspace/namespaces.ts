/** Network namespaces for tests: made, used by child processes, and always removed. */
import {
  type ChildProcessWithoutNullStreams,
  execFileSync,
  spawn,
  spawnSync,
} from "node:child_process";
import { randomBytes } from "node:crypto";
import { type MacAddress, parseMac } from "../../src/net/mac-address.ts";

/** As bin/sluice's: tests start many programs, and stripping their types is most of that. */
const COMPILE_CACHE = new URL("../../node_modules/.cache/compiled", import.meta.url).pathname;

/** A test that takes too long is not waited for: what it has not removed goes with the process. */
const standing = new Set<Namespace>();
process.once("exit", () => {
  for (const namespace of standing) {
    try {
      namespace[Symbol.dispose]();
    } catch {
      // It is gone, or the next one can still go.
    }
  }
});
// What runs the tests ends its workers so.
process.once("SIGTERM", () => process.exit(143));

/** A network namespace of this machine, with its loopback up. Needs root. */
export class Namespace implements Disposable {
  readonly name: string;
  readonly #children: ChildProcessWithoutNullStreams[] = [];

  constructor(role: string) {
    this.name = `slct-${randomBytes(3).toString("hex")}-${role}`;
    execFileSync("ip", ["netns", "add", this.name]);
    standing.add(this);
    this.run("ip link set lo up");
  }

  /** Runs one command, its words separated by spaces, and returns what it printed. */
  run(command: string): string {
    const words = command.split(" ");
    return execFileSync("ip", ["netns", "exec", this.name, ...words], { encoding: "utf8" });
  }

  /** A device's link-layer address. */
  mac(device: string): MacAddress {
    return parseMac(this.run(`cat /sys/class/net/${device}/address`).trim())!;
  }

  /** Runs a shell command and returns its exit status; 124 when it takes longer than a second. */
  status(command: string): number | null {
    const words = ["netns", "exec", this.name, "timeout", "1", "bash", "-c", command];
    return spawnSync("ip", words, { stdio: "ignore" }).status;
  }

  /** Runs many lines of ip(8) at once. */
  batch(lines: readonly string[]): void {
    const input = lines.map((line) => `${line}\n`).join("");
    execFileSync("ip", ["-netns", this.name, "-batch", "-"], { input, encoding: "utf8" });
  }

  /** Starts a program that dispose() ends. */
  start(command: string, ...args: readonly string[]): ChildProcessWithoutNullStreams {
    const child = spawn("ip", ["netns", "exec", this.name, command, ...args], {
      env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...process.env },
    });
    this.#children.push(child);
    return child;
  }

  /** Starts a TypeScript program with this process's Node. */
  startNode(file: string, ...args: readonly string[]): ChildProcessWithoutNullStreams {
    return this.start(process.execPath, "--disable-warning=ExperimentalWarning", file, ...args);
  }

  /** `ip netns exec` replaces itself by the command, so a child's pid is the program's. */
  [Symbol.dispose](): void {
    standing.delete(this);
    for (const child of this.#children) child.kill("SIGKILL");
    execFileSync("ip", ["netns", "delete", this.name]);
  }
}

/** A cable: interface `leftName` in `left`, `rightName` in `right`, both up. */
export function connect(
  left: Namespace,
  leftName: string,
  right: Namespace,
  rightName: string,
): void {
  left.run(`ip link add ${leftName} type veth peer name ${rightName} netns ${right.name}`);
  left.run(`ip link set ${leftName} up`);
  right.run(`ip link set ${rightName} up`);
}

/** Resolves with everything printed until `text` appeared; rejects when the program ends before. */
export function untilPrinted(child: ChildProcessWithoutNullStreams, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = "";
    let errors = "";
    child.stderr.on("data", (chunk) => {
      errors += chunk;
    });
    child.stdout.on("data", (chunk) => {
      printed += chunk;
      if (printed.includes(text)) resolve(printed);
    });
    child.once("error", reject);
    child.once("exit", (code) => {
      reject(new Error(`Ended with ${code} before it printed ${JSON.stringify(text)}: ${errors}`));
    });
  });
}
