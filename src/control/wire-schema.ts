/** Checks JSON from outside against wire.ts, and says where it is wrong and what would be right. */
import { z } from "zod";
import type { CheckPlan } from "../ipvs/desired/health.ts";
import type { Timeouts } from "../ipvs/desired/service.ts";
import { Address } from "../net/address.ts";
import type { Author } from "./author.ts";
import type { WireVip } from "./vip-wire.ts";
import type { WireWantedService, WireWantedSettings } from "./wanted-wire.ts";
import type {
  WireDestination,
  WireEndpoint,
  WireForwarding,
  WireHealth,
  WirePersistence,
  WireRange,
  WireServiceKey,
  WireServiceRecord,
  WireSysctls,
} from "./wire.ts";

/** 31 days: ipvsadm's limit for every time that an operator gives. */
const TIMEOUT_MAX_SECONDS = 2_678_400;

/** The kernel keeps weights and thresholds as signed 32-bit numbers. */
const INT_MAX = 0x7fff_ffff;

/** IP_VS_SCHEDNAME_MAXLEN and IP_VS_PENAME_MAXLEN without the terminating 0. */
const NAME_LENGTH_MAX = 15;

const address = z
  .string()
  .refine((text) => Address.parse(text) !== undefined, "expected an IPv4 or IPv6 address");

const netmask = z
  .string()
  .refine(
    (text) => Address.parse(text)?.family === "inet",
    'expected an IPv4 netmask such as "255.255.255.0"',
  );

const port = z.int().min(0).max(0xffff);

const name = z.string().min(1).max(NAME_LENGTH_MAX);

const endpoint: z.ZodType<WireEndpoint> = z.strictObject({ address, port });

const key: z.ZodType<WireServiceKey> = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("endpoint"),
    protocol: z.enum(["tcp", "udp", "sctp"]),
    endpoint,
  }),
  z.strictObject({
    kind: z.literal("mark"),
    family: z.enum(["inet", "inet6"]),
    mark: z.int().min(1).max(0xffff_ffff),
  }),
]);

const timeoutSeconds = z.int().min(1).max(TIMEOUT_MAX_SECONDS);

const persistence: z.ZodType<WirePersistence> = z.union([
  z.strictObject({ timeoutSeconds, netmask }),
  z.strictObject({ timeoutSeconds, prefixLength: z.int().min(1).max(128) }),
]);

const tunnel = z.literal("tunnel");

const forwarding: z.ZodType<WireForwarding> = z.union([
  z.strictObject({ kind: z.enum(["masquerade", "route"]) }),
  z.strictObject({ kind: tunnel, encapsulation: z.literal("ipip") }),
  z.strictObject({
    kind: tunnel,
    encapsulation: z.literal("gre"),
    checksum: z.enum(["none", "full"]),
  }),
  z.strictObject({
    kind: tunnel,
    encapsulation: z.literal("gue"),
    port: port.min(1),
    checksum: z.enum(["none", "full", "remote"]),
  }),
]);

const destination = z.strictObject({
  endpoint,
  forwarding: forwarding.default({ kind: "route" }),
  weight: z.int().min(0).max(INT_MAX).default(1),
  upperThreshold: z.int().min(0).max(INT_MAX).default(0),
  lowerThreshold: z.int().min(0).max(INT_MAX).default(0),
});

const ms = z
  .int()
  .min(0)
  .max(TIMEOUT_MAX_SECONDS * 1_000);

const count = z.int().min(1).max(1_000);

/** What a kind's own settings may be is health/check-settings.ts to say. */
const check: z.ZodType<CheckPlan> = z.strictObject({
  name: z.string().optional(),
  type: name,
  settings: z.record(z.string(), z.unknown()),
  intervalMs: ms.min(1),
  jitterMs: ms,
  timeoutMs: ms.min(1),
  retryMs: ms.min(1),
  backoffMs: ms.min(1),
  rise: count,
  fall: count,
  start: z.enum(["up", "down"]),
  address: address.optional(),
  port: port.min(1).optional(),
  via: z.union([z.enum(["vip", "direct"]), address]).optional(),
}) as z.ZodType<unknown> as z.ZodType<CheckPlan>;

const onFailure = z.enum(["remove", "inhibit"]);

const health: z.ZodType<WireHealth> = z.strictObject({
  checks: z.array(check),
  destinations: z.record(
    z.string(),
    z.strictObject({ checks: z.array(check).optional(), onFailure: onFailure.optional() }),
  ),
  onFailure,
  quorum: z.int().min(1).max(INT_MAX),
  hysteresis: z.int().min(0).max(INT_MAX),
  sorry: destination.extend({ isStanding: z.boolean() }).optional(),
  slowStartMs: ms,
  panicPercent: z.int().min(0).max(100),
  flapping: z.strictObject({ changes: count, withinMs: ms.min(1), holdMs: ms.min(1) }).optional(),
}) as z.ZodType<unknown> as z.ZodType<WireHealth>;

const range: z.ZodType<WireRange> = z.strictObject({
  protocol: z.enum(["tcp", "udp", "sctp"]),
  address,
  first: port,
  last: port,
});

const service = z.strictObject({
  key,
  scheduler: name.default("wlc"),
  schedulerFlags: z.array(z.enum(["fallback", "port", "third"])).default([]),
  onePacket: z.boolean().default(false),
  persistence: persistence.nullable().default(null),
  persistenceEngine: name.nullable().default(null),
  health: health.optional(),
  range: range.optional(),
});

/** What is left out has the value that ipvsadm would give it. */
export const SERVICE_SCHEMA: z.ZodType<WireServiceRecord> = service;

export const DESTINATION_SCHEMA: z.ZodType<WireDestination> = destination;

/** In seconds; 0 keeps the timeout in force. */
export const TIMEOUTS_SCHEMA: z.ZodType<Timeouts> = z.strictObject({
  tcp: z.int().min(0).max(TIMEOUT_MAX_SECONDS),
  tcpFin: z.int().min(0).max(TIMEOUT_MAX_SECONDS),
  udp: z.int().min(0).max(TIMEOUT_MAX_SECONDS),
});

/** Names and values are checked by the command. */
export const SYSCTLS_SCHEMA: z.ZodType<WireSysctls> = z.record(
  z.string(),
  z.union([z.number(), z.string()]),
);

/** A service with its destinations, as the state file has it. */
export type PlanJson = WireServiceRecord & { readonly destinations: readonly WireDestination[] };

const drain = z.strictObject({
  since: z.iso.datetime(),
  timeoutSeconds: z.int().min(0).max(TIMEOUT_MAX_SECONDS).nullable(),
  afterwards: z.enum(["remove", "remove-service", "keep"]),
  cause: z.enum(["operator", "file"]),
  isForced: z.boolean(),
  weight: z.int().min(0).max(INT_MAX),
  isOver: z.boolean(),
});

export const PLAN_SCHEMA: z.ZodType<PlanJson> = service.extend({
  destinations: z.array(destination.extend({ drain: drain.optional() })),
});

/** What is asked for a server, or for all of an address. Left out: five minutes, it stays, its connections are not ended. */
export const DRAIN_SCHEMA = z.strictObject({
  timeoutSeconds: z.int().min(0).max(TIMEOUT_MAX_SECONDS).nullable().default(300),
  afterwards: z.enum(["remove", "keep"]).default("keep"),
  force: z.boolean().default(false),
});

/** What would become of a client's first packet. Port 0: of a client, any; of a server, whatever it has. A weight of null: gone. */
export const QUESTION_SCHEMA = z.strictObject({
  client: endpoint,
  to: endpoint.nullable().default(null),
  protocol: z.enum(["tcp", "udp", "sctp"]).nullable().default(null),
  whatIf: z
    .array(z.strictObject({ server: endpoint, weight: z.int().min(0).max(INT_MAX).nullable() }))
    .max(1_000)
    .default([]),
});

export type Question = z.infer<typeof QUESTION_SCHEMA>;

/** Where no path names the service. */
export const QUESTION_WITH_SERVICE_SCHEMA = QUESTION_SCHEMA.extend({ service: z.string() });

/** A service as somebody declares it: a destination without a weight keeps the one that it has. */
export const WANTED_SERVICE_SCHEMA: z.ZodType<WireWantedService> = service.extend({
  destinations: z.array(
    destination.extend({ weight: z.int().min(0).max(INT_MAX).nullable().default(null) }),
  ),
});

const announceMs = z
  .int()
  .min(0)
  .max(TIMEOUT_MAX_SECONDS * 1_000);

/** What of it no VIP can have is the command's to refuse. */
const vip: z.ZodType<WireVip> = z.strictObject({
  address,
  prefixLength: z.int().min(1).max(128),
  interface: z.string().min(1).max(NAME_LENGTH_MAX),
  label: z.string().min(1).max(NAME_LENGTH_MAX).nullable().default(null),
  announce: z
    .strictObject({ count: z.int().min(1).max(100), againMs: announceMs, refreshMs: announceMs })
    .nullable()
    .default(null),
});

export const WANTED_SETTINGS_SCHEMA: z.ZodType<WireWantedSettings> = z.strictObject({
  file: z
    .strictObject({
      source: z.string().max(4096),
      drift: z.enum(["keep", "reconcile"]).default("keep"),
      names: z.record(z.string(), z.string()).default({}),
    })
    .optional(),
  timeouts: z
    .strictObject({ tcp: timeoutSeconds, tcpFin: timeoutSeconds, udp: timeoutSeconds })
    .partial()
    .default({}),
  sysctls: SYSCTLS_SCHEMA.default({}),
  vips: z.array(vip).max(10_000).optional(),
  keepsOthers: z.boolean().default(false),
  drainSeconds: timeoutSeconds.optional(),
});

/** A whole state. Services are looked at one by one: PLAN_SCHEMA. */
export interface SnapshotJson {
  /** 1: without sequence and checksum. */
  readonly format: 1 | 2;
  /** The number of the last change in it. */
  readonly sequence: number;
  readonly timeouts: Timeouts;
  /** Those that are not as by default. */
  readonly sysctls: WireSysctls;
  readonly vips?: readonly WireVip[] | undefined;
  /** Rules of an earlier Sluice's own, which are read and never written: see snapshot.ts. */
  readonly markRules?: readonly unknown[] | undefined;
  readonly services: readonly unknown[];
}

const sequence = z.int().min(0);

export const SNAPSHOT_SCHEMA: z.ZodType<SnapshotJson> = z.strictObject({
  format: z.union([z.literal(1), z.literal(2)]),
  sequence: sequence.default(0),
  timeouts: TIMEOUTS_SCHEMA,
  sysctls: SYSCTLS_SCHEMA.default({}),
  vips: z.array(vip).optional(),
  markRules: z.array(z.unknown()).optional(),
  services: z.array(z.unknown()),
});

/** What a change makes different, whole: what is left out stays. */
export interface ChangeJson {
  /** By whom it was, and when. Not there: an earlier Sluice wrote it. */
  readonly by?: Author | undefined;
  readonly at?: string | undefined;
  readonly timeouts?: Timeouts | undefined;
  /** Those that are not as by default. */
  readonly sysctls?: WireSysctls | undefined;
  /** All of them. */
  readonly vips?: readonly WireVip[] | undefined;
  /** Services that go, by formatServiceKey(). */
  readonly removed?: readonly string[] | undefined;
  /** Services that come, or take the place of what was there, PlanJson each. */
  readonly services?: readonly unknown[] | undefined;
}

/** A place in JSON and what is wrong there. */
export interface Problem {
  /** `services[0].key.endpoint.port`; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

export function problemsOf(error: z.ZodError): Problem[] {
  return error.issues.flatMap((issue) => problemsOfIssue(issue, []));
}

/** A union that matches nowhere is explained by the member that fits best: the one with the fewest problems. */
function problemsOfIssue(issue: z.core.$ZodIssue, above: readonly PropertyKey[]): Problem[] {
  const path = [...above, ...issue.path];
  if (issue.code !== "invalid_union" || issue.errors.length === 0) {
    return [{ path: formatPath(path), message: issue.message }];
  }
  const members = issue.errors.map((issues) =>
    issues.flatMap((inner) => problemsOfIssue(inner, path)),
  );
  return members.reduce((best, member) => (member.length < best.length ? member : best));
}

function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? String(part) : `${text}.${String(part)}`;
  }, "");
}
