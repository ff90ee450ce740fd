/** What outlives the process: its connections, and for a while the tables that keep the host from answering for it. */
import type { Adopted } from "../../ipvs/tracking/adoption.ts";
import { ConnectionFile } from "./connection-file.ts";
import type { ConnectionHold } from "./connection-hold.ts";
import type { DoorEvents } from "./door/door.ts";
import type { Grace } from "./door/keeper.ts";

export interface Outliving {
  /** Where connections lie. */
  readonly file: string;
  /** What has it locked already; taken. */
  readonly hold?: ConnectionHold | undefined;
  /** For how long services' packets are dropped when the process has gone, and the file stays; 0: not at all. */
  readonly graceSeconds: number;
  /** Whether the connections of a process before are gone on with. */
  readonly adopts: boolean;
  /** After an ordinary end, too, programs in the kernel go on without this process until the next one. */
  readonly staysAtEnd?: boolean | undefined;
}

/** Whether anything goes on when the process has ended, however it ended. */
export function outlivesItsEnd({
  graceSeconds,
  staysAtEnd,
}: Pick<Outliving, "graceSeconds" | "staysAtEnd">): boolean {
  return graceSeconds > 0 || staysAtEnd === true;
}

/** The file for so many connections; undefined, and said, when there cannot be one. */
export function openFile(
  { file, hold, graceSeconds, adopts, staysAtEnd }: Outliving,
  limit: number,
  events: DoorEvents,
): Promise<ConnectionFile | undefined> {
  const stays = outlivesItsEnd({ graceSeconds, staysAtEnd });
  return ConnectionFile.open({ path: file, hold, limit, adopts, stays, events });
}

/** `pins`: where programs in the kernel are kept that outlive the process, if there are any. */
export function graceOf(
  { file, graceSeconds, staysAtEnd }: Outliving,
  { keepers }: ConnectionFile,
  pins: string | undefined,
): Grace {
  const kept = pins === undefined ? {} : { pins, staysAtEnd };
  return { seconds: graceSeconds, file, keepers, ...kept };
}

export function inWords({ adopted, orphaned, expired, damaged }: Adopted): string {
  const facts = [
    `goes on with ${adopted} connections`,
    ...(orphaned > 0 ? [`${orphaned} of them to servers that are not configured`] : []),
    ...(expired > 0 ? [`the time of ${expired} more was over`] : []),
    ...(damaged > 0 ? [`${damaged} were not whole and are forgotten`] : []),
  ];
  return facts.join(", ");
}
