/** What an operator can mend when the daemon does not start: one sentence that says what to do. */
import { ListenError } from "../api/listen.ts";
import { ConfigurationError } from "../configuration/problem.ts";
import { FolderError } from "../control/folder.ts";
import { StateFileError } from "../control/state-file-error.ts";
import { NamespaceTakenError } from "../engine/host/namespace-claim.ts";
import { FileTakenError } from "../engine/host/system/file-lock.ts";
import { SystemCallError } from "../engine/host/system/libc.ts";
import { BpfError } from "../engine/kernel/libbpf.ts";
import { NftError } from "../engine/userspace/door/nft.ts";
import { missingCapabilities } from "./capabilities.ts";
import { GroupError } from "./group.ts";

/** This user may not do what the daemon does. */
export class PrivilegeError extends Error {
  override readonly name = "PrivilegeError";
}

const MISTAKES = [
  BpfError,
  ConfigurationError,
  FileTakenError,
  FolderError,
  GroupError,
  ListenError,
  NamespaceTakenError,
  NftError,
  PrivilegeError,
  StateFileError,
  SystemCallError,
] as const;

/** Throws a PrivilegeError before anything is tried that would need what is missing. */
export function mustBePrivileged(): void {
  const missing = missingCapabilities();
  if (missing.length === 0) return;
  throw new PrivilegeError(
    `This user lacks ${missing.join(" and ")}: run it as root (sudo), or in a user and network namespace of its own (unshare -rn)`,
  );
}

/** The sentence; undefined for a bug, whose stack somebody will want to see. */
export function sentenceFor(error: unknown): string | undefined {
  return MISTAKES.some((mistake) => error instanceof mistake)
    ? (error as Error).message
    : undefined;
}
