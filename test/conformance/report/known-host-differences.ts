/** Where Sluice differs on purpose in host cases: rows of known-differences.ts. */
import type { KnownDifference } from "./known-differences.ts";

type Explains = KnownDifference["explains"];

/** Ours has these lines besides, and lacks none. */
function adds(...patterns: readonly RegExp[]): Explains {
  return (theirs, ours) => {
    const added = ours.filter((line) => !theirs.includes(line));
    return (
      theirs.every((line) => ours.includes(line)) &&
      added.length === patterns.length &&
      patterns.every((pattern) => added.some((line) => pattern.test(line)))
    );
  };
}

/** Each side says just this. */
function says(theirs: RegExp, ours: RegExp): Explains {
  return (left, right) => theirs.test(left.join("; ")) && ours.test(right.join("; "));
}

/** The kernel's lines with this for that are ours. */
function replaced(pattern: RegExp, by: string): Explains {
  return (theirs, ours) =>
    theirs.map((line) => line.replace(pattern, by)).join("\n") === ours.join("\n");
}

const MASQUERADED_ICMPV6 = {
  title: "ICMPv6 errors of masqueraded servers reach the client",
  before: "6.1.192",
} as const;

const ASKED_BY_INTERFACE = {
  title: "Neighbours are asked for in the interface's name",
  explains: replaced(/^(\w+): V asks for /, "$1: E asks for "),
} as const;

const BEHIND = {
  title: "Rules behind the director",
  group: "host, rules behind the director",
  name: /^output and postrouting count and drop$/,
} as const;

const LOCAL_CLIENTS = {
  title: "Clients on the director itself come round by the loopback",
  group: "host, clients on the director",
} as const;

const OUTPUT_FIRST = {
  ...LOCAL_CLIENTS,
  name: /^rules of output come behind the director$/,
} as const;

const TWICE = {
  title: "What is given back passes the host's rules twice",
  group: "host, servers on the director",
  name: /^rules of input and output come behind the director$/,
} as const;

export const KNOWN_OF_HOSTS: readonly KnownDifference[] = [
  {
    ...MASQUERADED_ICMPV6,
    group: "host, neighbours",
    name: /^a server that never answers, NAT, TCP, IPv6$/,
    step: /^4000 ms pass$/,
    explains: adds(/^wan > X: V > C unreachable-host about C:1000 > V:80 S ttl 63$/),
  },
  {
    ...MASQUERADED_ICMPV6,
    group: "host, servers on the director",
    name: /^NAT, UDP, and closed ports, IPv6$/,
    step: / talks udp, C:1000 > V:54$/,
    explains: says(/^nothing$/, /^icmp 1\/4 about /),
  },
  {
    ...MASQUERADED_ICMPV6,
    group: "host, netfilter's marks",
    name: /^addresses that are not the director's, NAT, IPv6$/,
    step: /^lan: R2 > C unreachable-port /,
    explains: adds(/^wan > X: F > C unreachable-port ttl 63 about C:1000 > F:80 \.$/),
  },
  {
    title: "Errors about tunnels tell what fits",
    group: "host, sizes",
    name: /^what a tunnel learns is the host's$/,
    step: /^lan: Y > D too-big mtu 1300 /,
    explains: replaced(/too-big mtu 1480/, "too-big mtu 1280"),
    before: "6.1.192",
  },
  {
    ...ASKED_BY_INTERFACE,
    group: "host, neighbours",
    name: /^a client on the link that never answers$/,
    step: /^(lan: R1:53 > N9:1000 udp len 60|4000 ms pass)$/,
  },
  {
    ...ASKED_BY_INTERFACE,
    group: "host, bridges",
    name: /, client and server behind the same bridge$/,
    step: /^lan: R1:80 > N:1000 S\. /,
  },
  {
    title: "What a bridge passes on leaves with the director's hardware address",
    group: "host, bridges",
    name: /^bridge-nf-call-iptables=1, client and server behind the same bridge$/,
    step: /^lan: R1:80 > N:1000 P\. len 60 /,
    explains: replaced(/^wan from R1 > N: /, "wan > N: "),
  },
  {
    ...BEHIND,
    step: /^lan: R2:80 > C:1000 S\.$/,
    explains: adds(/^wan > X: V:80 > C:1000 S\. ttl 63$/),
  },
  {
    ...BEHIND,
    step: /^wan: C:1001 > V:80 S$/,
    explains: adds(/^lan > R1: C:1001 > R1:80 S ttl 63$/),
  },
  {
    ...BEHIND,
    step: / -nvxL (OUTPUT|POSTROUTING)$/,
    explains: replaced(/^1 40 /, "0 0 "),
  },
  {
    ...LOCAL_CLIENTS,
    name: /^a service without servers, a port without a service$/,
    step: / talks udp, V:5000 > V:53$/,
    explains: says(/^send EPERM$/, /^receive ECONNREFUSED$/),
  },
  {
    ...OUTPUT_FIRST,
    step: / talks tcp, V:5000 > V:80$/,
    explains: says(/connected; got R2 sees V:5000$/, /^finish_connect ECONNREFUSED$/),
  },
  { ...OUTPUT_FIRST, step: /^ipvsadm -Lnc$/, explains: says(/^TCP TIME_WAIT V:5000 /, /^$/) },
  {
    ...TWICE,
    step: / talks tcp, C:1000 > V:80$/,
    explains: says(/^connected; got B:8080 sees C:1000; closed$/, /^nothing$/),
  },
  { ...TWICE, step: /^ipvsadm -Lnc$/, explains: replaced(/^TCP TIME_WAIT /, "TCP SYN_RECV ") },
];
