/**
 * A keepalived.conf or ldirectord.cf, and what happens to its real servers: its own program on the kernel's IPVS, and ours
 * beside it.
 */

/** What a real server does for its clients (agent/servers.py). */
export interface Serving {
  readonly kind: "tcp" | "http" | "https" | "smtp" | "dns" | "datagrams";
  readonly status?: number;
  readonly body?: string;
  readonly paths?: Readonly<Record<string, number>>;
  readonly host?: string;
  readonly banner?: number;
  readonly hello?: number;
  readonly rcode?: number;
  readonly reply?: string;
}

/** Servers are 10.77.0.11 to .19, and fd77::11 to ::19. Files lie in the case's folder, which is `{folder}` in texts. */
export type Action =
  | readonly ["serve", address: string, port: number, how: Serving]
  | readonly ["stop", address: string, port: number]
  | readonly ["gone", address: string]
  | readonly ["back", address: string]
  | readonly ["write", name: string, text: string];

export interface KeepalivedStep {
  readonly title: string;
  readonly actions: readonly Action[];
}

export interface KeepalivedCase {
  readonly program: "keepalived" | "ldirectord";
  readonly group: string;
  readonly name: string;
  readonly conf: string;
  /** By their names; those that end in .sh are programs. */
  readonly files: Readonly<Record<string, string>>;
  readonly begin: readonly Action[];
  readonly steps: readonly KeepalivedStep[];
  /** Rules that were the same for so long are taken for settled. */
  readonly quietMs: number;
  /** Among those of every run. */
  readonly isShort: boolean;
}

/** What the groups are about. */
export const KEEPALIVED_GROUP = {
  name: "keepalived",
  feature: "imported configurations beside keepalived, while servers fail and return",
} as const;

export const LDIRECTORD_GROUP = {
  name: "ldirectord",
  feature: "imported configurations beside ldirectord, while servers fail and return",
} as const;
