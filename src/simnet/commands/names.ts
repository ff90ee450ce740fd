/** Hosts' names: those of the laboratory, as its /etc/hosts would have them. */
import { Address } from "../../net/address.ts";
import type { Context } from "../shell/program.ts";

const HOSTS_FILE = "/etc/hosts";

/** An address as it is, or of a name in /etc/hosts. */
export function addressOf(text: string, { files }: Pick<Context, "files">): Address | undefined {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  const literal = Address.parse(bare);
  if (literal !== undefined) return literal;
  if (text === "localhost") return Address.parse("127.0.0.1");
  for (const line of (files.read(HOSTS_FILE) ?? "").split("\n")) {
    const [address = "", ...names] = line.split("#")[0]!.trim().split(/\s+/);
    if (names.includes(text)) return Address.parse(address);
  }
  return undefined;
}
