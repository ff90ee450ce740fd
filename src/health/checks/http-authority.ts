/** A host with its port, as HTTP writes it: RFC 9110 section 7.2. */
import type { ProbeTarget } from "../checker.ts";

/** The target itself; `usualPort` is not said. */
export function authorityOf({ address, port }: ProbeTarget, usualPort: number): string {
  // A zone means nothing to others: RFC 6874 section 4.
  const [numbers] = address.split("%");
  const host = address.includes(":") ? `[${numbers}]` : address;
  return port === usualPort ? host : `${host}:${port}`;
}

/** "[2001:db8::1]:443" and "name:443" without what follows the name, nor brackets. */
export function withoutPort(authority: string): string {
  return authority.replace(/(?<=^[^:]*|\]):\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}
