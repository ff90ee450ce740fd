/** How a call that cannot be done is answered. */
import { BusyError } from "../control/control.ts";
import { NoSuchGeneration } from "../control/history.ts";
import { NotKeptError } from "../control/state-file-error.ts";
import { FAULTS, LbError } from "../ipvs/desired/errors.ts";
import type { ErrorReply } from "./messages.ts";
import { BadRequest, BrokenOff, ChangedMeanwhile, TooLarge } from "./problem.ts";

export interface Refusal {
  readonly status: 400 | 404 | 405 | 409 | 412 | 413 | 500 | 503;
  readonly error: ErrorReply["error"];
}

/** `onBug` is told of what is no caller's fault. */
export function refusalFor(error: unknown, onBug: (error: unknown) => void): Refusal {
  if (error instanceof LbError) {
    const { fault, message } = error;
    // A service's or VIP's faults are about the call, a knob's about one field of its body.
    const problems =
      "service" in fault || "vip" in fault ? {} : { problems: [{ path: fault.name, message }] };
    const { http: status } = FAULTS[fault.code];
    return { status, error: { code: fault.code, message, fault, ...problems } };
  }
  if (error instanceof BadRequest) {
    const { message, problems } = error;
    return { status: 400, error: { code: "bad-request", message, problems } };
  }
  const { message } = error instanceof Error ? error : { message: String(error) };
  if (error instanceof ChangedMeanwhile) {
    return { status: 412, error: { code: "changed-meanwhile", message } };
  }
  if (error instanceof NoSuchGeneration) {
    return { status: 404, error: { code: "no-such-generation", message } };
  }
  if (error instanceof TooLarge) return { status: 413, error: { code: "too-large", message } };
  if (error instanceof BrokenOff) return { status: 400, error: { code: "broken-off", message } };
  if (error instanceof BusyError) return { status: 503, error: { code: "busy", message } };
  if (error instanceof NotKeptError) return { status: 503, error: { code: "not-kept", message } };
  onBug(error);
  return { status: 500, error: { code: "internal", message } };
}
