/** Names in a Host field (RFC 9110 7.2). */
import { isIP } from "node:net";

/** Without its port, and an IPv6 address without its brackets. */
export function nameIn(host: string | undefined): string {
  const [, bracketed, bare] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host ?? "") ?? [];
  return bracketed ?? bare ?? "";
}

export function isLoopbackName(name: string): boolean {
  if (name.toLowerCase() === "localhost" || name === "::1") return true;
  return isIP(name) === 4 && name.startsWith("127.");
}
