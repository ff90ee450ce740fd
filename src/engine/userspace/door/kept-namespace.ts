/** Where our end of the lane lies of a process that has gone, as its keeper has it: keeper.ts. */
import { closeSync, openSync, readlinkSync, readSync } from "node:fs";
import { interfaceIndex } from "../../host/system/libc.ts";
import { NetworkNamespace } from "../../host/system/network-namespace.ts";
import { OWN_DEVICE } from "./door-words.ts";
import { KEEPER_WORDS, KEEPERS_AT, KEPT_NAMESPACE_FD, Keepers } from "./keepers.ts";

/** `file`: of the connections of before, which names keepers. Undefined when nobody keeps one. */
export function keptNamespace(file: string): NetworkNamespace | undefined {
  for (const pid of keepersIn(file)) {
    const path = `/proc/${pid}/fd/${KEPT_NAMESPACE_FD}`;
    try {
      if (!readlinkSync(path).startsWith("net:")) continue;
      const namespace = NetworkNamespace.at(path);
      if (hasLane(namespace)) return namespace;
      namespace[Symbol.dispose]();
    } catch {
      // It has ended just now, or is somebody's whom we may not look at.
    }
  }
  return undefined;
}

function hasLane(namespace: NetworkNamespace): boolean {
  try {
    return namespace.inside(() => interfaceIndex(OWN_DEVICE)) > 0;
  } catch {
    return false;
  }
}

function keepersIn(file: string): readonly number[] {
  const words = new Float64Array(KEEPER_WORDS);
  try {
    const fd = openSync(file, "r");
    try {
      readSync(fd, words, 0, words.byteLength, KEEPERS_AT);
    } finally {
      closeSync(fd);
    }
  } catch {
    return [];
  }
  return new Keepers(words).pids();
}
