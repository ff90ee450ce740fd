/** Checks of other balancers as a sluice.yaml has them. */
import type { Check, HttpRequest, Probe, RealServer, VirtualServer } from "./model.ts";
import type { Notes } from "./told.ts";

/** As `checks` has one: what it may say is the configuration's to judge. */
export type CheckFields = { readonly type: string } & Readonly<Record<string, unknown>>;

/** One for each that must say that the server is up: of several requests, each is one. */
export function checkContents(
  check: Check,
  real: Pick<RealServer, "forwarding" | "address">,
  keys: VirtualServer["keys"],
  notes: Notes,
): readonly CheckFields[] {
  const { timing } = check;
  const common = {
    interval: period(timing.intervalSeconds),
    timeout: period(timing.timeoutSeconds),
    retry: period(Math.max(timing.retrySeconds, LEAST_SECONDS)),
    fall: timing.fall,
    rise: timing.rise,
    ...(timing.startsUp ? {} : { start: "down" }),
  };
  const asked = askedOf(check, real, keys, notes);
  return probeContents(check, notes).map((own) => ({
    ...own,
    ...common,
    ...(LOCAL_KINDS.includes(own.type) ? {} : asked),
  }));
}

/** Whom it asks, and by which way. */
function askedOf(
  check: Check,
  { forwarding, address: own }: Pick<RealServer, "forwarding" | "address">,
  keys: VirtualServer["keys"],
  notes: Notes,
): Readonly<Record<string, unknown>> {
  const { at, connection } = check;
  const { address, port } = connection;
  const isMasqueraded = forwarding === "masquerade";
  const isVip = keys.some((key) => key.kind === "endpoint" && key.address === address);
  if (!isMasqueraded && isVip) {
    // By a mark and a route for it people lead such checks into the tunnel, or to the server: that is the VIP's way.
    const why = "the check goes the VIP's way: its source and mark are not needed";
    notes.note(at, `connect_ip ${address}`, why);
    return present({ port, via: keys.length === 1 ? "vip" : address });
  }
  tellSource(check, notes);
  if (address !== undefined && address !== own) return present({ address, port });
  // Other balancers ask the real server's own address, and some answer there alone.
  return present({ port, via: isMasqueraded ? undefined : "direct" });
}

/** They ask nobody. */
const LOCAL_KINDS: readonly string[] = ["exec", "file"];

const LEAST_SECONDS = 0.001;

/** Seconds, or milliseconds where they are not whole. */
function period(seconds: number): number | string {
  return Number.isInteger(seconds) ? seconds : `${Math.max(1, Math.round(seconds * 1000))}ms`;
}

function tellSource({ at, connection }: Check, notes: Notes): void {
  const { sourceAddress, sourcePort, mark } = connection;
  const said = Object.entries({
    "source address": sourceAddress,
    "source port": sourcePort,
    interface: connection.interface,
    mark,
  }).filter(([, value]) => value !== undefined);
  for (const [name, value] of said) {
    notes.dropped(at, `${name} ${value}`, "probes leave as the host's routes say");
  }
}

function probeContents({ at, probe }: Check, notes: Notes): readonly CheckFields[] {
  switch (probe.kind) {
    case "http":
    case "https":
      return probe.requests.map((request) => httpContent(probe, request, notes));
    case "exec":
      if (probe.user !== undefined) {
        const who = [probe.user, probe.group].filter((each) => each !== undefined).join(" ");
        notes.dropped(at, `user ${who}`, "programs run as the daemon's own user does");
      }
      return [
        {
          type: "exec",
          command: probe.command.length === 1 ? probe.command[0] : probe.command,
          ...(probe.isDynamic ? { dynamic: true } : {}),
        },
      ];
    case "file":
      if (probe.isDynamic) {
        notes.note(at, "dynamic", "what the file says is the weight, and not added to it");
      }
      return [
        {
          type: "file",
          path: probe.path,
          ...(probe.isDynamic ? { dynamic: true } : {}),
          ...(probe.multiplier === 1 ? {} : { multiplier: probe.multiplier }),
        },
      ];
    default:
      return [plainContent(probe)];
  }
}

function plainContent(
  probe: Exclude<Probe, { kind: "http" | "https" | "exec" | "file" }>,
): CheckFields {
  switch (probe.kind) {
    case "tcp":
    case "icmp":
    case "tls":
    case "redis":
      return { type: probe.kind };
    case "mysql":
    case "postgres":
      return { type: probe.kind, ...present({ user: probe.user }) };
    case "smtp":
      return { type: "smtp", ...present({ helo: probe.helo }) };
    case "dns":
      return {
        type: "dns",
        name: probe.name,
        query: probe.type,
        ...(probe.answer === undefined ? {} : { answers: [probe.answer] }),
      };
    case "udp":
      return {
        type: "udp",
        ...(probe.payload ? { payload: { hex: probe.payload } } : {}),
        ...replyOf(probe),
      };
  }
}

function replyOf({ reply, lengths }: Extract<Probe, { kind: "udp" }>): object {
  if (reply === undefined) return {};
  const [replyBytesLeast, replyBytesMost] = lengths;
  return {
    reply: reply === "" ? true : { hex: reply },
    ...(replyBytesLeast === 0 ? {} : { replyBytesLeast }),
    replyBytesMost,
  };
}

const USUAL_STATUS = "200-299";

function httpContent(
  probe: Extract<Probe, { kind: "http" | "https" }>,
  { at, path, method, host, login, status, digest, pattern, isPatternForbidden }: HttpRequest,
  notes: Notes,
): CheckFields {
  const statuses = status.map(([first, last]) => (first === last ? first : `${first}-${last}`));
  const isUsual = statuses.length === 1 && statuses[0] === USUAL_STATUS;
  const body = {
    ...(pattern === undefined || !isExpression(pattern.source)
      ? {}
      : { [isPatternForbidden ? "lacks" : "matches"]: pattern.source }),
    ...(pattern?.isCaseless ? { ignoreCase: true } : {}),
    ...(digest === undefined ? {} : { digest: `md5:${digest}` }),
  };
  if (pattern !== undefined && !isExpression(pattern.source)) {
    notes.dropped(at, `regex ${pattern.source}`, "it is no regular expression of JavaScript");
  }
  // keepalived asks for "/" where there is none.
  const target = path.startsWith("/") ? path : `/${path}`;
  const written = target.replaceAll(/[^!-~]/gu, encodeURIComponent);
  if (written !== target) notes.note(at, `path ${path}`, `no URL has such characters: ${written}`);
  return {
    type: probe.kind,
    path: written,
    ...present({ host, method }),
    ...(login === undefined ? {} : { headers: { authorization: basic(login) } }),
    ...(isUsual ? {} : { status: statuses }),
    ...(Object.keys(body).length === 0 ? {} : { body }),
    ...(probe.kind === "https" ? secureContent(probe) : {}),
  };
}

/** RFC 7617. */
function basic({ user, password }: NonNullable<HttpRequest["login"]>): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

/** Neither keepalived nor ldirectord looks at certificates. */
function secureContent({ serverName }: Extract<Probe, { kind: "http" | "https" }>): object {
  return { ...present({ serverName }), verify: false };
}

function isExpression(source: string): boolean {
  try {
    new RegExp(source, "mu");
    return true;
  } catch {
    return false;
  }
}

function present(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
