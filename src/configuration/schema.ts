/**
 * What a sluice.yaml may say: one file's keys, each with what it means and which values it takes.
 *
 * The JSON Schema and docs/configuration.md are made of this. What one value must be to fit another is resolve.ts's and,
 * in the end, that of the commands in ipvs/desired.
 */
import { z } from "zod";
import { expecting, flag, integer, keyed, listOf, oneOf, text } from "../base/schema-terms.ts";
import { address } from "../health/settings-terms.ts";
import { SYSCTL_RULES, type SysctlRule } from "../ipvs/desired/sysctls.ts";
import { SCHEDULERS } from "../ipvs/schedulers/index.ts";
import { Address } from "../net/address.ts";
import { duration } from "./duration-schema.ts";
import { type ForwardingContent, forwarding } from "./forwarding-schema.ts";
import { check, checkKeys, health, onFailure } from "./health-schema.ts";
import { A_LISTEN_PLACE, parseListenPlace } from "./listen-place.ts";
import { receiver } from "./notify-schema.ts";
import { vip } from "./vip-schema.ts";

/** What `-w` of ipvsadm's manual page goes to; the kernel would take more. */
export const WEIGHT_MAX = 0xffff;

const INT_MAX = 0x7fff_ffff;

/** `8000-8010`. */
export const RANGE = /^(\d{1,5})-(\d{1,5})$/;
const A_PORT = expecting("an integer from 0 to 65535, or a range such as 8000-8010");

const listenPlace = z
  .union([integer(1, 0xffff), z.string()], expecting(A_LISTEN_PLACE))
  .refine((value) => parseListenPlace(String(value)) !== undefined, expecting(A_LISTEN_PLACE));

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
  ...checkKeys,
  onFailure: onFailure.optional().describe("As its service's `health.onFailure`, for it alone."),
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
  ...checkKeys,
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
  onePacket: flag()
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
  ...checkKeys,
  health: health
    .optional()
    .describe(
      "What becomes of the service when checks say that destinations are down. Key by key: what it does not say is the file's default.",
    ),
};

const service = keyed({
  name: text("a name").optional().describe("For you and for messages; means nothing to packets."),
  protocol: oneOf(["tcp", "udp", "sctp"]).optional().describe("With `vip`. Default: `tcp`."),
  vip: address("an IPv4 or IPv6 address")
    .optional()
    .describe("The virtual address; `port` belongs to it."),
  port: z
    .union([integer(0, 0xffff), z.string(A_PORT).regex(RANGE, A_PORT)], A_PORT)
    .optional()
    .describe(
      "With `vip`. 0: every port, for persistent services. `8000-8010`: these, as one service of a mark (docs/marks.md).",
    ),
  mark: integer(1, 0xffff_ffff)
    .optional()
    .describe(
      "Instead of `vip` and `port`: packets with this firewall mark. Beside a range of ports: which mark stands for it; left out, a number that is made of the range.",
    ),
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
  drift: oneOf(["keep", "reconcile"])
    .optional()
    .describe(
      "What becomes of what other hands (ipvsadm, for instance) change later. `sluice status` shows it; `reconcile` also takes it back. Weights that no file says, and drains, are nobody's drift. Default: `keep`.",
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
  remove: keyed({
    drain: duration.describe(
      "For how long a destination that is no longer wanted gets no new connections while those that it has go on. It goes when there are none any more, or when the time is over.",
    ),
  })
    .optional()
    .describe("How what is no longer in the file goes. Default: at once."),
  api: keyed({
    listen: listenPlace.describe(
      "Where the API answers over TCP, with TLS and tokens: a port alone is one of the loopback address.",
    ),
    certificate: text("a file's name").describe(
      "Its certificate (PEM), with those between it and its authority.",
    ),
    key: text("a file's name").describe("The certificate's key (PEM)."),
    tokens: text("a file's name")
      .optional()
      .describe("Who may: `sluice token`. Default: `/var/lib/sluice/tokens.json`."),
  })
    .optional()
    .describe(
      "As `metrics`, with `--api` before it. Default: the API's socket alone. docs/api.md.",
    ),
  notify: listOf(receiver, "receivers of events")
    .optional()
    .describe(
      "Who is told of events. Heeded by a daemon that starts with `--config`, at its start and at each reload. docs/log-events.md.",
    ),
  metrics: keyed({
    listen: listenPlace.describe(
      "Where `GET /metrics` answers Prometheus over TCP: a port alone is one of the loopback address.",
    ),
  })
    .optional()
    .describe(
      "Heeded by a daemon that starts with `--config`, at its start and at each reload; `--metrics` comes before it. Default: the API's socket alone. docs/metrics.md.",
    ),
  checks: z
    .record(z.string(), check, expecting("checks by their names"))
    .optional()
    .describe("Health checks by a name of your choice, for services, pools and destinations."),
  vips: listOf(vip, "VIPs")
    .optional()
    .describe(
      "Addresses that Sluice adds to an interface, and announces. They go with the daemon's end, and when they leave the file. docs/vips.md.",
    ),
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
export type VipContent = z.infer<typeof vip>;
export type { CheckContent, CheckKeys, HealthContent } from "./health-schema.ts";
export type { ForwardingContent };
export type PoolContent = z.infer<typeof pool>;
