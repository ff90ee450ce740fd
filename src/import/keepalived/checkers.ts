/** keepalived's checkers as checks. */
import type { Check, Connection, HttpRequest, Probe, Timing } from "../model.ts";
import type { Notes } from "../told.ts";
import { CHECK_DEFAULTS, type CheckDefaults } from "./check-defaults.ts";
import * as keys from "./checker-keys.ts";
import { type KeyTable, type ReadBlock, readBlock } from "./read-keys.ts";
import type { Statement } from "./statements.ts";

/** What checkers of a real server have when they do not say it. */
export interface Inherited {
  readonly checks: Partial<CheckDefaults>;
  readonly virtualHost: string | undefined;
  /** Files by the names that FILE_CHECK has for them. */
  readonly trackFiles: ReadonlyMap<string, string>;
}

interface Reader {
  /** Undefined when it makes no sense; then that was told. */
  read(checker: Statement, inherited: Inherited, notes: Notes): Read | readonly Read[] | undefined;
}

type Read = Omit<Check, "at">;

/** Mostly one; all of them must be up. */
export function readChecker(checker: Statement, inherited: Inherited, notes: Notes): Check[] {
  const read = READERS[checker.words[0]!]!.read(checker, inherited, notes);
  return [read ?? []].flat().map((check) => ({ at: checker.at, ...check }));
}

/** keepalived's own, in seconds (check_api.c and each check_*.c). */
const DEFAULTS = { interval: 60, timeout: 5, delayBeforeRetry: 1, httpDelayBeforeRetry: 3 };
const RETRIES = { MISC_CHECK: 0, DNS_CHECK: 3 } as const;

function timingOf(kind: string, own: Partial<CheckDefaults>, inherited: Inherited): Timing {
  const all = { ...inherited.checks, ...own };
  const intervalSeconds = all.delayLoop ?? DEFAULTS.interval;
  const isHttp = kind === "HTTP_GET" || kind === "SSL_GET";
  const retry = all.retry ?? (RETRIES as Readonly<Record<string, number>>)[kind] ?? 1;
  const retrySeconds =
    all.delayBeforeRetry ??
    (kind === "DNS_CHECK" ? intervalSeconds : undefined) ??
    (isHttp ? DEFAULTS.httpDelayBeforeRetry : DEFAULTS.delayBeforeRetry);
  return {
    intervalSeconds,
    timeoutSeconds: all.connectTimeout ?? DEFAULTS.timeout,
    fall: retry + 1,
    rise: 1,
    retrySeconds,
    startsUp: !(all.alpha ?? false),
  };
}

function connectionOf(values: Partial<keys.ConnectionValues>): Connection {
  return {
    address: values.connectAddress,
    port: values.connectPort,
    sourceAddress: values.bindAddress,
    sourcePort: values.bindPort,
    interface: values.bindInterface,
    mark: values.mark === 0 ? undefined : values.mark,
  };
}

/** A checker that connects, by its table and what its values ask for. */
function connecting<Values extends keys.ConnectionValues>(
  table: KeyTable<Values>,
  probeOf: (
    read: ReadBlock<Values>,
    inherited: Inherited,
    notes: Notes,
    checker: Statement,
  ) => Probe | undefined,
): Reader {
  return {
    read(checker, inherited, notes) {
      const read = readBlock(checker.block ?? [], table, notes);
      const probe = probeOf(read, inherited, notes, checker);
      if (probe === undefined) return undefined;
      return {
        probe,
        connection: connectionOf(read.values),
        timing: timingOf(checker.words[0]!, read.values, inherited),
      };
    },
  };
}

function http(kind: "http" | "https"): Reader {
  return connecting(keys.HTTP, ({ values, blocks }, inherited, notes, checker) => {
    const host = values.virtualHost ?? inherited.virtualHost;
    const requests = blocks.flatMap((url) => requestOf(url, host, notes));
    if (requests.length === 0) {
      notes.dropped(checker.at, checker.text, "it has no url");
      return undefined;
    }
    return { kind, requests, serverName: values.serverName };
  });
}

function requestOf(url: Statement, host: string | undefined, notes: Notes): HttpRequest[] {
  const { values, places } = readBlock(url.block ?? [], keys.URL, notes);
  if (values.path === undefined) {
    notes.dropped(url.at, url.text, "it has no path");
    return [];
  }
  const options = values.regexOptions ?? [];
  const others = options.filter((option) => !CASELESS.includes(option));
  if (others.length > 0) {
    notes.dropped(
      places.regexOptions!,
      others.join(" "),
      "expressions are JavaScript's: see docs/migration.md",
    );
  }
  return [
    {
      at: url.at,
      path: values.path,
      host: values.virtualHost ?? host,
      login:
        values.user === undefined
          ? undefined
          : { user: values.user, password: values.password ?? "" },
      status: values.status ?? [[200, 299]],
      digest: values.digest,
      pattern:
        values.regex === undefined
          ? undefined
          : { source: values.regex, isCaseless: options.includes("caseless") },
      isPatternForbidden: values.isForbidden ?? false,
    },
  ];
}

/** Those that say what is so with every expression of ours, or that it is carried. */
const CASELESS: readonly string[] = [
  "caseless",
  "utf",
  "ucp",
  "no_auto_capture",
  "never_backslash_c",
];

const smtp: Reader = {
  read(checker, inherited, notes) {
    const { values, blocks } = readBlock(checker.block ?? [], keys.SMTP, notes);
    // Before 2.0 what it connects to stood in blocks: each is a checker of its own,
    // and what it does not say is as beside it (smtp_alloc_host()).
    const hosts = blocks.map((host) => readBlock(host.block ?? [], keys.PLAIN, notes).values);
    return (hosts.length === 0 ? [{}] : hosts).map((host) => {
      const own = { ...values, ...host };
      return {
        probe: { kind: "smtp", helo: values.helo },
        connection: connectionOf(own),
        timing: timingOf("SMTP_CHECK", own, inherited),
      };
    });
  },
};

const udp = connecting(keys.UDP, ({ values }) => ({
  kind: "udp",
  payload: values.payload,
  reply: values.reply,
  lengths: [values.leastLength ?? 0, values.mostLength ?? 255],
}));

const misc: Reader = {
  read(checker, inherited, notes) {
    const { values } = readBlock(checker.block ?? [], keys.MISC, notes);
    if (values.script === undefined) {
      notes.dropped(checker.at, checker.text, "it has no misc_path");
      return undefined;
    }
    const timing = timingOf("MISC_CHECK", values, inherited);
    const [user = values.script.user, group = values.script.group] = values.user?.split(" ") ?? [];
    return {
      probe: {
        kind: "exec",
        command: values.script.command,
        isDynamic: values.isDynamic ?? false,
        user,
        group,
      },
      connection: {},
      // misc_check_handler(): without a time of its own it has until the next is due.
      timing: { ...timing, timeoutSeconds: values.timeout ?? timing.intervalSeconds },
    };
  },
};

const file: Reader = {
  read(checker, inherited, notes) {
    const { values, places } = readBlock(checker.block ?? [], keys.FILE, notes);
    const path = inherited.trackFiles.get(values.trackFile ?? "");
    if (path === undefined) {
      const at = places.trackFile ?? checker.at;
      notes.dropped(at, checker.text, `there is no track_file ${values.trackFile ?? ""}`.trimEnd());
      return undefined;
    }
    return {
      probe: {
        kind: "file",
        path,
        multiplier: values.multiplier ?? 1,
        isDynamic: values.isDynamic ?? false,
      },
      connection: {},
      timing: timingOf("FILE_CHECK", values, inherited),
    };
  },
};

const bfd: Reader = {
  read({ at, text }, _inherited, notes) {
    notes.dropped(at, text, "Sluice has no BFD: a tcp or an icmp check every second comes near");
    return undefined;
  },
};

// biome-ignore format: a table
const READERS: Readonly<Record<string, Reader>> = {
  TCP_CHECK:  connecting(keys.PLAIN, () => ({ kind: "tcp" })),
  PING_CHECK: connecting(keys.PLAIN, () => ({ kind: "icmp" })),
  HTTP_GET:   http("http"),
  SSL_GET:    http("https"),
  SMTP_CHECK: smtp,
  DNS_CHECK:  connecting(keys.DNS, ({ values: { type = "SOA", name = "." } }) => ({ kind: "dns", type, name })),
  UDP_CHECK:  udp,
  MISC_CHECK: misc,
  FILE_CHECK: file,
  BFD_CHECK:  bfd,
};

/** Those of a block, as what checkers in it inherit. */
export function checkDefaultsOf(values: Partial<CheckDefaults>): Partial<CheckDefaults> {
  const names = Object.values(CHECK_DEFAULTS).flatMap((key) => ("to" in key ? [key.to] : []));
  return Object.fromEntries(
    names.filter((name) => values[name] !== undefined).map((name) => [name, values[name]]),
  );
}
