/**
 * What the kernel engine gives up with `--admission wire`, where connections are opened before the host's own checks: rows of
 * known-differences.ts.
 */
import { isOneFrameOf } from "./explanations.ts";
import type { KnownDifference } from "./known-differences.ts";

type Explains = KnownDifference["explains"];

const ENTRY = /^(TCP|UDP) \w+ /;

const WIRE = {
  title: "Admission by wire comes before the host's checks",
  engine: "kernel-wire",
} as const;

const FIREWALL = { ...WIRE, group: "host, firewall" } as const;
const TAKEN = { ...WIRE, group: "host, what it takes" } as const;
const BRIDGES = { ...WIRE, group: "host, bridges" } as const;
const MARKS = { ...WIRE, group: "host, netfilter's marks" } as const;
const BY_MARK = { ...WIRE, group: "firewall marks" } as const;

/** A packet that the host keeps, or answers itself, is forwarded to a server. */
const isForwarded: Explains = (theirs, ours) =>
  ours.length === 1 &&
  /^lan > R\d: /.test(ours[0]!) &&
  theirs.every((line) => line.startsWith("wan > X: E > C icmp-"));

/** It goes to another server, because what the host would have dropped has had its turn. */
const goesElsewhere: Explains = (theirs, ours) =>
  theirs.length === 1 && ours.length === 1 && anyServer(theirs[0]!) === anyServer(ours[0]!);

const anyServer = (line: string): string => line.replace(/\bR\d\b/g, "R");

/** Entries of what the host would have dropped besides, and of those that it took with other servers. */
const hasMoreEntries: Explains = (theirs, ours) =>
  ours.length >= theirs.length &&
  ours.every((line) => ENTRY.test(line)) &&
  theirs.every((line) => ours.some((other) => anyServer(other) === anyServer(line)));

/** A rule has counted fewer packets. */
const countsFewer: Explains = (theirs, ours) =>
  theirs.length === ours.length &&
  theirs.every((line, index) => {
    const [[packets, , target], [fewer, , same]] = [line.split(" "), ours[index]!.split(" ")];
    return target === same && Number(fewer) <= Number(packets);
  });

/** The server's answer, which is masqueraded where a connection of its own went to it. */
const isServersOwn: Explains = (theirs, ours) =>
  theirs.length === 1 && ours.join() === theirs[0]!.replace(": V:", ": R1:");

/** The same entries, some of them with another server, or further on. */
const isSameButServers: Explains = (theirs, ours) =>
  theirs.map(withoutServer).join() === ours.map(withoutServer).join();

const withoutServer = (line: string): string =>
  line.replace(/ > 192\.168\.150\.\d+:(\d+) \w+ expires \d+$/, " > R:$1");

/** The same servers with other loads. */
const isSameButLoads: Explains = (theirs, ours) =>
  theirs.map(withoutLoad).join() === ours.map(withoutLoad).join();

const withoutLoad = (line: string): string => line.replace(/ active \d+ inactive \d+$/, "");

export const KNOWN_OF_WIRE: readonly KnownDifference[] = [
  {
    ...FIREWALL,
    name: /^(input (drops|rejects)|mangle and raw drop|limits)/,
    step: /^ipvsadm -Lnc$/,
    explains: hasMoreEntries,
  },
  {
    ...FIREWALL,
    name: /^(input drops in mid-connection|limits)$/,
    step: /^wan: /,
    explains: isForwarded,
  },
  {
    ...FIREWALL,
    name: /^(input drops in mid-connection|limits)$/,
    step: / -nvxL INPUT$/,
    explains: countsFewer,
  },
  {
    ...TAKEN,
    name: /^(sources that are no client's|rp_filter [12], clients on the wrong wire)$/,
    step: /^ipvsadm -Lnc$/,
    explains: hasMoreEntries,
  },
  {
    ...TAKEN,
    name: /^(sources that are no client's|rp_filter 2, clients on the wrong wire)$/,
    step: /^wan: [^R]/,
    explains: goesElsewhere,
  },
  {
    ...TAKEN,
    name: /^rp_filter 2, clients on the wrong wire$/,
    step: /^(lan|wan): R1:80 > /,
    explains: isServersOwn,
  },
  { ...BRIDGES, name: /^a rule drops a client/, step: /^wan: /, explains: goesElsewhere },
  { ...BRIDGES, name: /^a rule drops a client/, step: /^ipvsadm -Lnc$/, explains: hasMoreEntries },
  { ...MARKS, name: /^a service by address besides$/, step: /^wan: /, explains: goesElsewhere },
  {
    ...MARKS,
    name: /^a service by address besides$/,
    step: /^ipvsadm -Lnc$/,
    explains: hasMoreEntries,
  },
  {
    ...BY_MARK,
    name: /^(a mark comes before an address|a rule removed midway, -[gm])$/,
    step: /^tcp CLIENT:\d > (VIP|FAR):80 /,
    explains: (theirs, ours) => isOneFrameOf("lan", theirs) && isOneFrameOf("lan", ours),
  },
  {
    ...BY_MARK,
    name: /^(a mark comes before an address|a rule removed midway, -[gm])$/,
    step: /^connections$/,
    explains: isSameButServers,
  },
  {
    ...BY_MARK,
    name: /^a mark comes before an address$/,
    step: /^services$/,
    explains: isSameButLoads,
  },
];
