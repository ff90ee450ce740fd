/** The kernel's settings of each interface. */
import { readFileSync } from "node:fs";

/** Undefined where this kernel has no such setting. */
export function readSetting(path: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/sys/${path}`, "utf8").trim());
  } catch {
    return undefined;
  }
}

/** conf.all's, the interface's own, and what holds: the larger (IN_DEV_MAXCONF() in include/linux/inetdevice.h). */
export interface Setting {
  readonly all: number;
  readonly own: number;
  readonly holds: number;
}

export function interfaceSetting(name: string, interfaceName: string): Setting {
  const read = (where: string): number => readSetting(`net/ipv4/conf/${where}/${name}`) ?? 0;
  const [all, own] = [read("all"), read(interfaceName)];
  return { all, own, holds: Math.max(all, own) };
}
