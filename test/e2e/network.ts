/**
 * Real hosts around a director, each in a network namespace of its own:
 *
 *     client C ---outside--- E, V (director) D ---inside--- R1, R2 (server)
 *          \_________________________back_________________________/
 *
 * The real servers answer through the director (NAT), or by the way back (direct routing). Addresses are those of
 * test/packets/names.ts; the way back is 10.2.0.0/24, .1 at the client and .2 at the server.
 */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect, Namespace, untilPrinted } from "../userspace/namespaces.ts";

export const C = "10.9.0.2";
export const V = "10.9.0.100";
export const D = "10.1.0.1";
export const R1 = "10.1.0.21";
export const R2 = "10.1.0.22";
/** On the inside network, and nobody's. */
export const NOBODY = "10.1.0.99";

const SPEAKER = new URL("./speaker.ts", import.meta.url).pathname;
/** Longer than the director looks for a neighbour, which takes 3 s. */
const ANSWER_TIMEOUT_SECONDS = 4;
/** Where what comes after those is waited for, also on a busy machine. */
export const PATIENT_SECONDS = 20;

const SETTINGS = [
  "net.ipv4.conf.all.rp_filter=0",
  "net.ipv4.conf.default.rp_filter=0",
  "net.ipv4.conf.all.send_redirects=0",
  "net.ipv4.icmp_ratelimit=0",
  "net.ipv6.conf.all.disable_ipv6=1",
  "net.ipv6.conf.default.disable_ipv6=1",
].join(" ");

export interface Talk extends AsyncDisposable {
  /** What comes back: the text, or "reset". */
  say(text: string): Promise<string>;
}

export class Network implements Disposable {
  readonly client = new Namespace("client");
  readonly director = new Namespace("director");
  readonly server = new Namespace("server");

  constructor() {
    try {
      this.#lay();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const host of [this.client, this.director, this.server]) host[Symbol.dispose]();
  }

  /** The way that the server's answers to the client take. */
  answersGo(way: "through the director" | "back"): void {
    const gateway = way === "back" ? "10.2.0.1" : D;
    this.server.batch([`route replace 10.9.0.0/16 via ${gateway}`]);
  }

  /** The server takes packets for V, too, as direct routing and tunnels need it. */
  hideVip(): void {
    this.server.batch([`address add ${V}/32 dev lo`]);
  }

  /** Starts a server that speaker.ts describes. */
  async speak(host: Namespace, port: number, name = "-"): Promise<void> {
    await untilPrinted(host.startNode(SPEAKER, "serve", String(port), name), "listening");
  }

  /** What the client gets from V, or another: the name of who answers, "refused", "unreachable" or "silence". */
  ask(port: number, address = V, timeoutSeconds = ANSWER_TIMEOUT_SECONDS): string {
    const talk = `exec 3<>/dev/tcp/${address}/${port} && echo who >&3 && cat <&3`;
    const words = ["netns", "exec", this.client.name, "timeout", `${timeoutSeconds}`];
    const { stdout, stderr, status } = spawnSync("ip", [...words, "bash", "-c", talk], {
      encoding: "utf8",
    });
    if (status === 0) return stdout.trim();
    if (stderr.includes("refused")) return "refused";
    return stderr.includes("No route to host") ? "unreachable" : "silence";
  }

  /** A connection of the client's to V that stays until it is ended. */
  async hold(port: number): Promise<{ end(): Promise<void> }> {
    const child = this.client.startNode(SPEAKER, "hold", V, String(port));
    await untilPrinted(child, "\n");
    return {
      async end() {
        const ended = once(child, "exit");
        child.stdin.end();
        await ended;
      },
    };
  }

  /** A connection of the client's to V, on which every line is said back. */
  async talk(port: number): Promise<Talk> {
    const child = this.client.startNode(SPEAKER, "talk", V, String(port));
    // One that was reset has said so, and is gone.
    child.stdin.on("error", () => {});
    await untilPrinted(child, "\n");
    return {
      async say(text) {
        child.stdin.write(`${text}\n`);
        return (await untilPrinted(child, "\n")).trim();
      },
      async [Symbol.asyncDispose]() {
        child.kill("SIGKILL");
      },
    };
  }

  /** What speaker.ts in another role tells. */
  async speaker(host: Namespace, ...args: readonly string[]): Promise<string> {
    return (await untilPrinted(host.startNode(SPEAKER, ...args), "\n")).trim();
  }

  #lay(): void {
    const { client, director, server } = this;
    for (const host of [client, director, server]) host.run(`sysctl -qw ${SETTINGS}`);
    director.run("sysctl -qw net.ipv4.ip_forward=1");
    connect(client, "outside", director, "outside");
    connect(director, "inside", server, "inside");
    connect(server, "back", client, "back");
    client.batch([
      `address add ${C}/16 dev outside`,
      "address add 10.2.0.1/24 dev back",
      "route add 10.1.0.0/16 via 10.9.0.1",
    ]);
    director.batch([
      "address add 10.9.0.1/16 dev outside",
      `address add ${V}/32 dev outside`,
      `address add ${D}/16 dev inside`,
    ]);
    server.batch([
      `address add ${R1}/16 dev inside`,
      `address add ${R2}/16 dev inside`,
      "address add 10.2.0.2/24 dev back",
    ]);
    this.answersGo("through the director");
  }
}
