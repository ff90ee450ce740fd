/**
 * The routing rule by which what local servers send comes into the lane (ip-rule(8)); only there while there are some.
 *
 * Unlike everything else of the door a rule outlives its process. So a shell that waits for our end of its standard input
 * removes it when we end without having done so. struct fib_rule_hdr, include/uapi/linux/fib_rules.h.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Family } from "../../../net/address.ts";
import type { Netlink } from "../../host/netlink/netlink.ts";
import { familyNumber } from "../../host/netlink/netlink-address.ts";
import { type Attribute, FLAG } from "../../host/netlink/netlink-message.ts";
import { SystemCallError } from "../../host/system/libc.ts";
import { FAMILIES, OUTPUT_MARK } from "./door-words.ts";

const RTM_NEWRULE = 32;
const RTM_DELRULE = 33;
const RULE_HEADER_LENGTH = 12;
const ruleAt = { family: 0, action: 7 } as const;
const TO_TABLE = 1; // FR_ACT_TO_TBL
const FRA = { priority: 6, mark: 10, table: 15, mask: 16 } as const;

/** Behind the local table's, which comes first of all, and before whatever else there is. */
const PRIORITY = 1;

export class OutputRule implements Disposable {
  readonly #netlink: Netlink;
  readonly #table: number;
  #remover: ChildProcess | undefined;

  /** `table`: no other process's, so that a late removal of a dead one's rule does not take ours. */
  constructor(netlink: Netlink, table: number) {
    this.#netlink = netlink;
    this.#table = table;
    for (const family of FAMILIES) while (this.#change(RTM_DELRULE, 0, family, []));
  }

  /** Throws a SystemCallError when the kernel refuses, and then there is none. */
  set(isWanted: boolean): void {
    if (isWanted === (this.#remover !== undefined)) return;
    if (!isWanted) {
      this.#remove();
      return;
    }
    this.#remover = startRemover(this.#table);
    try {
      for (const family of FAMILIES) this.#change(RTM_NEWRULE, FLAG.create, family, this.#whole());
    } catch (error) {
      this.#remove();
      throw error;
    }
  }

  /** Sets the rule again if somebody removed it, and has somebody wait to remove it: true when that was necessary. */
  mend(): boolean {
    const remover = this.#remover;
    if (remover === undefined) return false;
    let mended = false;
    for (const family of FAMILIES) {
      try {
        const flags = FLAG.create | FLAG.exclusive;
        mended = this.#change(RTM_NEWRULE, flags, family, this.#whole()) || mended;
      } catch (error) {
        if (!(error instanceof SystemCallError) || error.code !== "EEXIST") throw error;
      }
    }
    if (remover.exitCode !== null || remover.signalCode !== null) {
      this.#remover = startRemover(this.#table);
      mended = true;
    }
    return mended;
  }

  /** What cannot be removed now is left to the remover. */
  #remove(): void {
    const remover = this.#remover;
    this.#remover = undefined;
    try {
      for (const family of FAMILIES) this.#change(RTM_DELRULE, 0, family, this.#whole());
      remover?.kill("SIGKILL");
    } catch {
      remover?.stdin?.end();
    }
  }

  [Symbol.dispose](): void {
    this.set(false);
  }

  #whole(): Attribute[] {
    return [
      [FRA.priority, PRIORITY],
      [FRA.mask, -1],
      [FRA.table, this.#table],
    ];
  }

  /** False when there is no such rule, or a kernel without rules of this family. */
  #change(type: number, flags: number, family: Family, more: readonly Attribute[]): boolean {
    const header = new Uint8Array(RULE_HEADER_LENGTH);
    header[ruleAt.family] = familyNumber(family);
    header[ruleAt.action] = TO_TABLE;
    const attributes: Attribute[] = [[FRA.mark, OUTPUT_MARK], ...more];
    try {
      this.#netlink.change(type, flags, header, attributes, "set a routing rule into the lane");
      return true;
    } catch (error) {
      const isAbsent =
        error instanceof SystemCallError &&
        ["ENOENT", "EAFNOSUPPORT", "EOPNOTSUPP"].includes(error.code);
      if (isAbsent) return false;
      throw error;
    }
  }
}

/** Waits for the end of its standard input, which comes with ours. */
function startRemover(table: number): ChildProcess {
  const rule = `rule del pref ${PRIORITY} fwmark ${OUTPUT_MARK} lookup ${table}`;
  const script = `cat >/dev/null; ip ${rule}; ip -6 ${rule}`;
  const child = spawn("sh", ["-c", script], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    env: { ...process.env, PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin` },
  });
  child.on("error", () => {});
  child.stdin?.on("error", () => {});
  if (child.pid === undefined) {
    throw new Error(
      "Cannot set a routing rule into the lane: no process can be started to remove it",
    );
  }
  child.unref();
  (child.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  return child;
}
