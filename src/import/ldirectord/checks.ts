/** How ldirectord looks at real servers, as checks. */
import { Address } from "../../net/address.ts";
import type { Check, Probe, RealServer } from "../model.ts";
import type { Notes, Place } from "../told.ts";

/** What a virtual service says of it, with defaults in their places. */
export interface Checking {
  readonly at: Place;
  readonly type: string;
  readonly service: string;
  readonly protocol: "tcp" | "udp" | "mark";
  readonly connectSeconds: number;
  readonly negotiateSeconds: number;
  readonly intervalSeconds: number;
  readonly failures: number;
  readonly attempts: number;
  readonly command: string;
  readonly port: number | undefined;
  readonly request: string | undefined;
  readonly receive: string | undefined;
  readonly method: "GET" | "HEAD";
  readonly host: string | undefined;
  /** What its checkcommand is told of the virtual service. */
  readonly virtual: readonly [address: string, port: string];
}

type Server = Pick<RealServer, "at" | "address" | "port">;

const BY_PORT: Readonly<Record<number, string>> = {
  21: "ftp",
  25: "smtp",
  53: "dns",
  80: "http",
  110: "pop",
  119: "nntp",
  143: "imap",
  389: "ldap",
  443: "https",
  587: "submission",
  993: "imaps",
  995: "pops",
  1521: "oracle",
  1812: "radius",
  3128: "http_proxy",
  3306: "mysql",
  5432: "pgsql",
  5060: "sip",
};

/** ld_port_to_service(). */
export function serviceOfPort(port: number): string {
  return BY_PORT[port] ?? "none";
}

/** None where ldirectord takes the server for up without a look. */
export function checksOf(checking: Checking, server: Server, notes: Notes): Check[] {
  const found = probeOf(checking, server, notes);
  if (found === undefined) return [];
  const { probe, port, address } = found;
  const isQuick = probe.kind === "tcp" || probe.kind === "icmp" || probe.kind === "exec";
  return [
    {
      at: server.at,
      probe,
      connection: { address, port: port ?? checking.port },
      timing: {
        intervalSeconds: checking.intervalSeconds,
        timeoutSeconds: isQuick ? checking.connectSeconds : checking.negotiateSeconds,
        fall: checking.failures * (probe.kind === "icmp" ? checking.attempts : 1),
        rise: 1,
        retrySeconds: checking.intervalSeconds,
        startsUp: false,
      },
    },
  ];
}

interface Found {
  readonly probe: Probe;
  /** When it is another than the server's own. */
  readonly address?: string;
  readonly port?: number;
}

function probeOf(checking: Checking, server: Server, notes: Notes): Found | undefined {
  switch (checking.type) {
    case "on":
    case "off":
      return undefined;
    case "ping":
      return { probe: { kind: "icmp" } };
    case "connect":
      // check_connect(): a datagram's server is pinged.
      return { probe: { kind: checking.protocol === "udp" ? "icmp" : "tcp" } };
    case "external":
    case "external-perl":
      return { probe: externalOf(checking, server) };
    default:
      return negotiated(checking, server, notes);
  }
}

function externalOf({ command, virtual, port }: Checking, server: Server): Probe {
  const words = command.split(/\s+/).filter((word) => word !== "");
  const own = String(port ?? server.port ?? virtual[1]);
  return {
    kind: "exec",
    command: [...words, ...virtual, server.address, own],
    isDynamic: false,
    user: undefined,
    group: undefined,
  };
}

const ONLY_CONNECTS: Readonly<Record<string, "tcp" | "tls" | "udp">> = {
  ftp: "tcp",
  http_proxy: "tcp",
  imap: "tcp",
  imaps: "tls",
  ldap: "tcp",
  ldaps: "tls",
  nntp: "tcp",
  oracle: "tcp",
  pop: "tcp",
  pops: "tls",
  radius: "udp",
  simpletcp: "tcp",
  sip: "udp",
};

function negotiated(checking: Checking, { at }: Server, notes: Notes): Found | undefined {
  const { service, request, receive } = checking;
  switch (service) {
    case "none":
      return undefined;
    case "http":
    case "https":
      return webOf(service, checking, at);
    case "smtp":
    case "submission":
      return { probe: { kind: "smtp", helo: undefined } };
    case "dns":
      return {
        probe: {
          kind: "dns",
          type: "A",
          name: nameOf(request),
          ...(receive === undefined ? {} : { answer: receive }),
        },
      };
    case "mysql":
    case "pgsql":
      if (request !== undefined)
        notes.dropped(at, `request ${request}`, "the server's greeting is enough");
      return { probe: { kind: service === "mysql" ? "mysql" : "postgres" } };
  }
  const kind = ONLY_CONNECTS[service] ?? "tcp";
  const what = kind === "udp" ? "whether somebody listens" : "whether it connects";
  notes.dropped(at, `service ${service}`, `there is no check of this kind: ${what} is asked`);
  if (kind !== "udp") return { probe: { kind } };
  if (checking.protocol === "tcp") return { probe: { kind: "tcp" } };
  return { probe: { kind, payload: undefined, reply: undefined, lengths: [0, 255] } };
}

function nameOf(request: string | undefined): string {
  return request?.replace(/^\//, "") || ".";
}

/** A request that begins with http:// goes where it says. */
function webOf(kind: "http" | "https", checking: Checking, at: Place): Found {
  const { request = "/", receive, method, host } = checking;
  const [, from, port, path = request] =
    /^https?:\/\/(\[[^\]]*\]|[^/:]+)(?::(\d+))?(\/.*)?$/.exec(request) ?? [];
  const url = from === undefined ? path : path === request ? "/" : path;
  return {
    probe: {
      kind,
      serverName: undefined,
      requests: [
        {
          at,
          path: url,
          ...(method === "GET" ? {} : { method }),
          host: host ?? from,
          status: [[200, 299]],
          digest: undefined,
          pattern: receive === undefined ? undefined : { source: receive, isCaseless: false },
          isPatternForbidden: false,
        },
      ],
    },
    ...(from === undefined || Address.parse(from) === undefined ? {} : { address: from }),
    ...(port === undefined ? {} : { port: Number(port) }),
  };
}
