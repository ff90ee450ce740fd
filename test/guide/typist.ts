/** Types chapters' sessions, in their order, and reads what is printed. */
import { setTimeout as delay } from "node:timers/promises";
import { openLaboratory } from "../../src/lab/run/namespace-laboratory.ts";
import { type Entry, OWN_MACHINE, type Session } from "./chapter.ts";
import { type OwnMachine, openOwnMachine } from "./own-machine.ts";

type Laboratory = Awaited<ReturnType<typeof openLaboratory>>;

const POLL_MS = 50;
const LISTENING_TIMEOUT_MS = 10_000;
/** The daemon has yet to hear what is asked of it. */
const SETTLING_MS = 300;

export class Typist {
  readonly #laboratory: Laboratory | undefined;
  readonly #ownMachine: OwnMachine;

  private constructor(laboratory: Laboratory | undefined, ownMachine: OwnMachine) {
    this.#laboratory = laboratory;
    this.#ownMachine = ownMachine;
  }

  static async at(scenario: "dr" | "nat" | "tun" | undefined): Promise<Typist> {
    const ownMachine = await openOwnMachine();
    try {
      const laboratory =
        scenario === undefined ? undefined : await openLaboratory({ scenario, family: "inet" });
      return new Typist(laboratory, ownMachine);
    } catch (error) {
      ownMachine.close();
      throw error;
    }
  }

  /** The same sessions with what was printed now. */
  async type(sessions: readonly Session[]): Promise<Session[]> {
    const typed: Promise<Session>[] = [];
    for (const session of sessions) {
      const { isListening } = session;
      const before = isListening ? await this.#sockets(session) : 0;
      const running = this.#typeEach(session);
      typed.push(running.then((entries) => ({ isListening, entries })));
      if (isListening) await this.#listening(session, before);
      else await Promise.all(typed);
    }
    return Promise.all(typed);
  }

  async close(): Promise<void> {
    try {
      await this.#laboratory?.close();
    } finally {
      this.#ownMachine.close();
    }
  }

  async #typeEach({ entries }: Session): Promise<Entry[]> {
    const typed: Entry[] = [];
    for (const { host, command } of entries) {
      const { output } = await this.#run(host, command);
      typed.push({ host, command, output: inWholeLines(output) });
    }
    return typed;
  }

  #run(host: string, line: string): Promise<{ readonly output: string }> {
    if (host === OWN_MACHINE) return this.#ownMachine.run(line);
    if (this.#laboratory === undefined) throw new Error(`There is no laboratory with ${host}`);
    return this.#laboratory.run(host, line);
  }

  /** Whoever listens has one more of these: tcpdump on the wire, `sluice trace` with the daemon. */
  async #sockets({ entries }: Session): Promise<number> {
    const question = "cat /proc/net/packet /proc/net/unix | wc -l";
    return Number((await this.#run(entries[0]!.host, question)).output);
  }

  async #listening(session: Session, before: number): Promise<void> {
    for (let waited = 0; (await this.#sockets(session)) <= before; waited += POLL_MS) {
      if (waited >= LISTENING_TIMEOUT_MS) throw new Error("Nobody listens");
      await delay(POLL_MS);
    }
    await delay(SETTLING_MS);
  }
}

/** As the document has it: whole lines, without blanks at their ends. */
function inWholeLines(output: string): string {
  const text = output.replaceAll(/[ \t]+$/gm, "");
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}
