/** A connection's one timer: pauses between retransmissions, which grow, and how long it rests at its end. */
import type { Agenda, Appointment } from "../time/agenda.ts";
import type { TcpState } from "./state.ts";

const OPENING_MS = 1_000;
const LEAST_MS = 200;
const MOST_MS = 120_000;
/** tcp_syn_retries, tcp_synack_retries, tcp_retries2. */
const RETRIES: Readonly<Partial<Record<TcpState, number>>> = { "SYN-SENT": 6, "SYN-RECV": 5 };
const RETRIES_LATER = 15;

export class ConnectionTimer {
  readonly #agenda: Agenda;
  #appointment: Appointment | undefined;
  #pauseMs = OPENING_MS;
  #retries = 0;

  constructor(agenda: Agenda) {
    this.#agenda = agenda;
  }

  get isRunning(): boolean {
    return this.#appointment !== undefined;
  }

  /** `resend` when nothing was acknowledged meanwhile; `giveUp` when that was so often enough. */
  arm(state: () => TcpState, resend: () => void, giveUp: () => void): undefined {
    this.cancel();
    this.#appointment = this.#agenda.after(this.#pauseMs, () => {
      this.#appointment = undefined;
      if (this.#retries >= (RETRIES[state()] ?? RETRIES_LATER)) return giveUp();
      this.#retries++;
      this.#pauseMs = Math.min(MOST_MS, this.#pauseMs * 2);
      return resend();
    });
  }

  /** Something was acknowledged: the next pause is a short one again. */
  settle(): undefined {
    this.cancel();
    this.#retries = 0;
    this.#pauseMs = LEAST_MS;
  }

  rest(ms: number, end: () => void): undefined {
    this.cancel();
    this.#appointment = this.#agenda.after(ms, end);
  }

  cancel(): undefined {
    this.#appointment?.cancel();
    this.#appointment = undefined;
  }
}
