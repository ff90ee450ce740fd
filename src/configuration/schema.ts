/**
 * What a sluice.yaml may say: one file's keys, each with what it means and which values it takes.
 *
 * The JSON Schema and docs/configuration.md are made of this. What one value must be to fit another is resolve.ts's and,
 * in the end, that of the commands in ipvs/desired.
 */
import { z } from "zod";
import { SYSCTL_RULES, type SysctlRule } from "../ipvs/desired/sysctls.ts";
import { SCHEDULERS } from "../ipvs/schedulers/index.ts";
import { Address } from "../net/address.ts";
import { DURATION, DURATION_MAX_SECONDS, secondsOf } from "./duration.ts";

/** What `-w` of ipvsadm's manual page goes to; the kernel would take more. */
export const WEIGHT_MAX = 0xffff;

const INT_MAX = 0x7fff_ffff;

/** Says what would be right; what there is instead is added where the problem is told. */
function expecting(what: string) {
  return { error: () => `expected ${what}` };
}

function integer(least: number, most: number) {
  const error = expecting(`an integer from ${least} to ${most}`);
  return z.int(error).min(least, error).max(most, error);
}

function text(what: string) {
  const error = expecting(what);
  return z.string(error).min(1, error);
}

function oneOf<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z.enum(names, expecting(`one of ${names.join(", ")}`));
}

/** The keys are the message of what is wrong with an unknown one: problems.ts makes a sentence of them. */
function keyed<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? Object.keys(shape).join(" ")
        : "expected keys and values",
  });
}

function listOf<Item extends z.ZodType>(item: Item, what: string) {
  return z.array(item, expecting(`a list of ${what}`));
}

function address(what: string) {
  return text(what).refine((value) => Address.parse(value) !== undefined, expecting(what));
}

const A_DURATION = expecting(
  'seconds as a whole number, or such as "90s", "5m", "2h", up to 31 days',
);

const duration = z
  .union(
    [z.int(A_DURATION).min(1, A_DURATION), z.string(A_DURATION).regex(DURATION, A_DURATION)],
    A_DURATION,
  )
  .refine((value) => secondsOf(value) <= DURATION_MAX_SECONDS, A_DURATION)
  .meta({ id: "duration" });

const TUNNELS = ["ipip", "gre", "gue"] as const;

const forwarding = z
  .union(
    [
      z.enum(["route", "masquerade", "tunnel"]),
      z.discriminatedUnion(
        "tunnel",
        [
          keyed({ tunnel: z.literal("ipip").describe("IP in IP.") }),
          keyed({
            tunnel: z.literal("gre").describe("Generic Routing Encapsulation."),
            checksum: oneOf(["none", "full"])
              .optional()
              .describe("Whether the outer header bears a checksum. Default: `none`."),
          }),
          keyed({
            tunnel: z.literal("gue").describe("Generic UDP Encapsulation."),
            port: integer(1, 0xffff).describe("The UDP port that the server's end listens on."),
            checksum: oneOf(["none", "full", "remote"])
              .optional()
              .describe(
                "The outer header's checksum; `remote` is remote checksum offload. Default: `none`.",
              ),
          }),
        ],
        expecting(`one of ${TUNNELS.join(", ")}`),
      ),
    ],
    expecting("route, masquerade, tunnel, or a tunnel's options such as {tunnel: gue, port: 6080}"),
  )
  .meta({ id: "forwarding" });

const destinationDefaults = {
  port: integer(0, 0xffff)
    .optional()
    .describe("Default: the service's port. Only `masquerade` changes a packet's port."),
  forwarding: forwarding
    .optional()
    .describe(
      "How packets reach it. `route`: direct routing. `masquerade`: NAT. `tunnel`: IP in IP; the other tunnels have options. Default: `route`.",
    ),
  weight: integer(0, WEIGHT_MAX)
    .optional()
    .describe(
      "How many connections it gets beside the others; 0: no new ones. Not said at all: a new one has 1, and one that is there keeps the weight that it has, also one that was set by hand.",
    ),
  upperThreshold: integer(0, INT_MAX)
    .optional()
    .describe("Connections at which it gets no new ones. Default: 0, no limit."),
  lowerThreshold: integer(0, INT_MAX)
    .optional()
    .describe(
      "Connections below which it gets new ones again. Default: 0, three quarters of the upper.",
    ),
};

const destination = keyed({
  address: address("an IPv4 or IPv6 address").describe("The real server's address."),
  ...destinationDefaults,
}).meta({ id: "destination" });

const defaultsOfDestinations = keyed(destinationDefaults).meta({ id: "destinationDefaults" });

const pool = keyed({
  defaults: defaultsOfDestinations
    .optional()
    .describe("What its destinations have that do not say it themselves."),
  destinations: listOf(destination, "destinations").describe("The real servers."),
}).meta({ id: "pool" });

const persistence = keyed({
  timeout: duration.optional().describe("How long a client stays with its server. Default: 5m."),
  netmask: text("an IPv4 netmask such as 255.255.255.0")
    .refine(
      (value) => Address.parse(value)?.family === "inet",
      expecting("an IPv4 netmask such as 255.255.255.0"),
    )
    .optional()
    .describe(
      "Clients that are the same under it go to the same server. IPv4 only. Default: 255.255.255.255.",
    ),
  prefixLength: integer(1, 128)
    .optional()
    .describe("The same as a number of bits, up to 32 for IPv4. Default: all bits."),
}).meta({ id: "persistence" });

const serviceDefaults = {
  scheduler: oneOf(Object.keys(SCHEDULERS) as [string, ...string[]])
    .optional()
    .describe("Who gets a new connection. Default: `wlc`."),
  flags: listOf(oneOf(["fallback", "port", "third"]), "scheduler flags")
    .optional()
    .describe(
      "The scheduler's flags: ipvsadm's `sh-fallback` and `mh-fallback`, `sh-port` and `mh-port`, `flag-3`. Default: none.",
    ),
  onePacket: z
    .boolean(expecting("true or false"))
    .optional()
    .describe("Every datagram is scheduled by itself (UDP). Default: false."),
  persistence: z
    .union([z.literal(false), persistence], expecting("false, or such as {timeout: 5m}"))
    .optional()
    .describe(
      "Connections of one client stay on one server. `{}`: as by default; false: not. Default: false.",
    ),
  persistenceEngine: oneOf(["sip"])
    .optional()
    .describe("What tells one client's calls apart: `sip`, by SIP's Call-ID. Default: none."),
};

const service = keyed({
  name: text("a name").optional().describe("For you and for messages; means nothing to packets."),
  protocol: oneOf(["tcp", "udp", "sctp"]).optional().describe("With `vip`. Default: `tcp`."),
  vip: address("an IPv4 or IPv6 address")
    .optional()
    .describe("The virtual address; `port` belongs to it."),
  port: integer(0, 0xffff)
    .optional()
    .describe("With `vip`. 0: every port, for persistent services."),
  mark: integer(1, 0xffff_ffff)
    .optional()
    .describe("Instead of `vip` and `port`: packets with this firewall mark."),
  family: oneOf(["inet", "inet6"])
    .optional()
    .describe("With `mark`: IPv4 or IPv6. Default: `inet`."),
  ...serviceDefaults,
  defaults: defaultsOfDestinations
    .optional()
    .describe("What its destinations have when neither they nor their pool say it."),
  pool: text("a pool's name").optional().describe("The pool that its destinations come from."),
  destinations: listOf(destination, "destinations")
    .optional()
    .describe("Destinations of its own; instead of, or after those of, `pool`."),
}).meta({ id: "service" });

const sysctls = keyed(
  Object.fromEntries(
    Object.entries<SysctlRule>(SYSCTL_RULES).map(([name, rule]) => {
      const [least, most] = rule.range ?? [-INT_MAX - 1, INT_MAX];
      return [name, integer(least, most).optional().describe(`Default: ${rule.default}.`)];
    }),
  ),
);

export const FILE_SCHEMA = keyed({
  include: z
    .union([z.string(), z.array(z.string())], expecting("a file's name, or a list of them"))
    .optional()
    .describe(
      "Other files of this kind, relative to this one. The last part may have `*`. They say what else there is; their own `defaults` come before this file's.",
    ),
  others: oneOf(["remove", "keep"])
    .optional()
    .describe(
      "What becomes of services that stand and are in no file. `keep` leaves them to other hands. Default: `remove`.",
    ),
  defaults: keyed({
    service: keyed(serviceDefaults).optional().describe("What services have that do not say it."),
    destination: defaultsOfDestinations
      .optional()
      .describe("What destinations have when nothing nearer says it."),
  })
    .optional()
    .describe("For the whole file."),
  timeouts: keyed({
    tcp: duration.optional().describe("TCP connections without a packet. At first: 15m."),
    tcpFin: duration.optional().describe("TCP connections after a FIN. At first: 2m."),
    udp: duration.optional().describe("UDP flows without a packet. At first: 5m."),
  })
    .optional()
    .describe("How long idle connections live. What is not said stays as it is."),
  sysctls: sysctls
    .optional()
    .describe("The knobs of net.ipv4.vs: docs/sysctls.md. What is not said stays as it is."),
  pools: z
    .record(z.string(), pool, expecting("pools by their names"))
    .optional()
    .describe("Destinations that several services share, by a name of your choice."),
  services: listOf(service, "services").optional().describe("The virtual services."),
});

export type FileContent = z.infer<typeof FILE_SCHEMA>;
export type ServiceContent = NonNullable<FileContent["services"]>[number];
export type DestinationContent = z.infer<typeof destination>;
export type DestinationDefaults = z.infer<typeof defaultsOfDestinations>;
export type ServiceDefaults = Pick<ServiceContent, keyof typeof serviceDefaults>;
export type ForwardingContent = z.infer<typeof forwarding>;
export type PoolContent = z.infer<typeof pool>;
