/** What went wrong with a server, in words. */
import type { Outcome } from "./checker.ts";

export function failure(error: unknown): Outcome {
  return { up: false, why: reasonOf(error) };
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code = "", message, name } = error as NodeJS.ErrnoException;
  if (name === "TimeoutError") return "no answer in time";
  return REASONS[code] ?? message;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ETIMEDOUT: "no answer in time",
  EPIPE: "connection closed",
  EACCES: "not permitted by the director's own firewall or rules",
  EPERM: "not permitted by the director's own firewall or rules",
  EADDRNOTAVAIL: "the director has no address or port to probe from",
  EMFILE: "the director has no descriptor to probe with",
};
