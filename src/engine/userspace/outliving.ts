/** What outlives the process: its connections, and for a while the tables that keep the host from answering for it. */
import type { Adopted } from "../../ipvs/tracking/adoption.ts";
import { ConnectionFile } from "./connection-file.ts";
import type { DoorEvents } from "./door/door.ts";
import type { Grace } from "./door/keeper.ts";

export interface Outliving {
  /** Where connections lie. */
  readonly file: string;
  /** For how long services' packets are dropped when the process has gone, and the file stays; 0: not at all. */
  readonly graceSeconds: number;
  /** Whether the connections of a process before are gone on with. */
  readonly adopts: boolean;
}

/** The file for so many connections; undefined, and said, when there cannot be one. */
export function openFile(
  { file, graceSeconds, adopts }: Outliving,
  limit: number,
  events: DoorEvents,
): Promise<ConnectionFile | undefined> {
  return ConnectionFile.open({ path: file, limit, adopts, stays: graceSeconds > 0, events });
}

export function graceOf({ file, graceSeconds }: Outliving, { keepers }: ConnectionFile): Grace {
  return { seconds: graceSeconds, file, keepers };
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
