/** What holds the inside of a laboratory: the outside's end of a pipe, by which it says that the inside may stay alone. */
import { Socket } from "node:net";
import { encodeEvent, type LabEvent } from "../event.ts";
import { LabFailure } from "../failure.ts";

/** The descriptor by which the outside holds the inside: it says KEEP, or it ends. */
export const LEASH = 3;
export const KEEP = "keep";

/** Does the inside's work, tells what keeps it from that, and ends with the outside. */
export async function onLeash(work: (leash: Leash) => Promise<void>): Promise<void> {
  // The first process of a namespace ignores signals that it has no handler for.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.once(signal, () => process.exit(1));
  }
  process.once("uncaughtException", (error) => {
    emit({ kind: "failure", why: error.stack ?? error.message });
    process.exit(1);
  });
  // Nobody reads any more once the outside is gone.
  process.stdout.on("error", () => {});
  const leash = holdLeash();
  try {
    await work(leash);
  } catch (error) {
    if (!(error instanceof LabFailure)) throw error;
    emit({ kind: "failure", why: error.message });
    process.exit(1);
  }
}

export function emit(event: LabEvent): void {
  process.stdout.write(encodeEvent(event));
}

export interface Leash {
  /** The outside goes, the laboratory stays. */
  readonly kept: Promise<void>;
}

/** An outside that ends without having said KEEP, for whatever reason, ends the laboratory. */
function holdLeash(): Leash {
  const { promise: kept, resolve } = Promise.withResolvers<void>();
  const socket = new Socket({ fd: LEASH });
  let isKept = false;
  socket.on("data", (chunk: Buffer) => {
    if (chunk.toString().trim() !== KEEP) return;
    isKept = true;
    resolve();
  });
  const end = (): void => {
    if (!isKept) process.exit(1);
  };
  socket.on("error", end);
  socket.on("close", end);
  return { kept };
}
