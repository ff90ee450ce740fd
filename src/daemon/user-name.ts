/** What users are called: passwd(5). Read when it is asked for, for users come and go. */
import { readFileSync } from "node:fs";

const FILE = "/etc/passwd";

/** The number itself for one without a name. */
export function userName(uid: number): string {
  return nameIn(read(), uid) ?? String(uid);
}

/** The first line of a uid wins, as with getpwuid(3). */
export function nameIn(passwd: string, uid: number): string | undefined {
  for (const line of passwd.split("\n")) {
    const [name, , number] = line.split(":");
    if (number === String(uid) && name) return name;
  }
  return undefined;
}

function read(): string {
  try {
    return readFileSync(FILE, "utf8");
  } catch {
    return "";
  }
}
