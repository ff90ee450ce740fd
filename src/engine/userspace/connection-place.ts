import { statSync } from "node:fs";

/** The file of a directory for this network namespace: several may have daemons that share one. */
export function connectionFileIn(directory: string): string {
  return `${directory}/connections.${statSync("/proc/self/ns/net").ino}`;
}
