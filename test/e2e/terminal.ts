/** A real terminal, tmux's, with a program in it: what a person types, and what they see. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";

export class Terminal implements Disposable {
  readonly #socket = `sluice-test-${randomBytes(4).toString("hex")}`;

  /** `command` is a shell's; the terminal stays when it has ended. */
  constructor(command: string, { columns, rows }: { columns: number; rows: number }) {
    const size = ["-x", String(columns), "-y", String(rows)];
    const stays = `${command}; echo "ended with $?"; cat`;
    this.#tmux("-f", "/dev/null", "new-session", "-d", ...size, "sh", "-c", stays);
  }

  /** What is on the screen, with the empty lines below. */
  get screen(): string {
    return this.#tmux("capture-pane", "-p");
  }

  /** Keys as tmux calls them (Enter, C-c, PageDown), or text. */
  type(...keys: readonly string[]): void {
    this.#tmux("send-keys", ...keys);
  }

  resize(columns: number, rows: number): void {
    this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  [Symbol.dispose](): void {
    this.#tmux("kill-server");
  }

  #tmux(...words: readonly string[]): string {
    return execFileSync("tmux", ["-L", this.#socket, ...words], { encoding: "utf8" });
  }
}
