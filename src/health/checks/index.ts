/** What carries each kind of check out, loaded when the first of its kind is probed. checks/settings.ts has their settings. */
import type { Checker } from "../checker.ts";
import type { CheckKind } from "./settings.ts";

/** Settings were checked against the kind's schema: each checker takes those of its own. */
type AnyChecker = Checker<never>;

// biome-ignore format: a table
export const CHECKERS: Readonly<Record<CheckKind, () => Promise<AnyChecker>>> = {
  tcp:      async () => (await import("./tcp.ts")).tcp,
  http:     async () => (await import("./http.ts")).http,
  https:    async () => (await import("./http.ts")).https,
  tls:      async () => (await import("./tls.ts")).tls,
  grpc:     async () => (await import("./grpc.ts")).grpc,
  dns:      async () => (await import("./dns.ts")).dns,
  smtp:     async () => (await import("./smtp.ts")).smtp,
  udp:      async () => (await import("./udp.ts")).udp,
  icmp:     async () => (await import("./icmp.ts")).icmp,
  redis:    async () => (await import("./redis.ts")).redis,
  postgres: async () => (await import("./postgres.ts")).postgres,
  mysql:    async () => (await import("./mysql.ts")).mysql,
  exec:     async () => (await import("./exec.ts")).exec,
  file:     async () => (await import("./file.ts")).file,
};
