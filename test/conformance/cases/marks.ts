/** Firewall marks: which packets are one service, whatever their addresses, ports and protocols. */
import {
  type Case,
  type CaseFile,
  CONNECTIONS,
  ipvsadm,
  marks,
  packet,
  restore,
  SERVICES,
  type Step,
} from "../case.ts";
import { framesCase } from "./methods.ts";

const GROUP = "firewall marks";

const SERVERS = [21, 22, 23];

/** A service of MARK with three servers, which get 21 last. */
function service(options: string, forwarding = "-g", at = "-f MARK", port = ""): Step {
  const address = (number: number): string =>
    at.includes("-6") ? `fd15::${number}` : `192.168.150.${number}`;
  return restore(
    `-A ${at} ${options}`,
    ...SERVERS.map((number) => `-a ${at} -r ${address(number)}${port} ${forwarding}`),
  );
}

/** A SYN to `to`, from port `from` of the case's client. */
const syn = (from: number, to: string): Step => packet(`tcp CLIENT:${from} > ${to} S`);
const syn6 = (from: number, to: string): Step => packet(`tcp [CLIENT6]:${from} > ${to} S`);
const udp = (from: number, to: string): Step => packet(`udp CLIENT:${from} > ${to} length=8`);

/** By name: steps, after which no rule is in force any more. */
type Row = readonly [name: string, ...steps: readonly Step[]];

const LOOKUP: readonly Row[] = [
  [
    "several ports are one service",
    service("-s rr"),
    marks("-d VIP -p tcp --dports 80,443,8000:8100 --set-mark MARK"),
    ...[80, 443, 8000, 8100, 80].map((port, index) => syn(index + 1, `VIP:${port}`)),
    syn(9, "VIP:8101"),
    syn(10, "VIP:7999"),
    udp(11, "VIP:80"),
    CONNECTIONS,
    SERVICES,
  ],
  [
    "several protocols are one service",
    service("-s rr"),
    marks("-d VIP --set-mark MARK"),
    syn(1, "VIP:80"),
    udp(1, "VIP:80"),
    packet("sctp CLIENT:1 > VIP:80 1"),
    udp(2, "VIP:53"),
    packet("tcp CLIENT:1 > VIP:80 A"),
    packet("tcp CLIENT:3 > VIP:80 A"),
    CONNECTIONS,
    SERVICES,
  ],
  [
    "several addresses are one service",
    service("-s rr"),
    marks("-d VIP -p tcp --set-mark MARK", "-d FAR -p tcp --dports 80 --set-mark MARK"),
    syn(1, "VIP:80"),
    syn(1, "FAR:80"),
    syn(2, "FAR:81"),
    syn(3, "VIP:81"),
    CONNECTIONS,
    SERVICES,
  ],
  [
    "clients by network and port",
    service("-s rr"),
    marks(
      "-s 10.9.7.0/24 -d VIP -p tcp --set-mark MARK",
      "-s CLIENT -d VIP -p udp --sports 500,1000:2000 --set-mark MARK",
    ),
    packet("tcp 10.9.7.255:1 > VIP:80 S"),
    packet("tcp 10.9.8.0:1 > VIP:80 S"),
    ...[499, 500, 999, 1000, 2000, 2001].map((port) => udp(port, "VIP:53")),
    CONNECTIONS,
  ],
  [
    "a mark comes before an address",
    restore(
      "-A -t VIP:80 -s rr",
      "-a -t VIP:80 -r 192.168.150.21 -g",
      "-A -t VIP:0 -s rr -p 60",
      "-a -t VIP:0 -r 192.168.150.22 -g",
      "-A -f MARK -s rr",
      "-a -f MARK -r 192.168.150.23 -g",
    ),
    syn(1, "VIP:80"),
    syn(2, "VIP:443"),
    marks("-d VIP -p tcp --dports 80 --set-mark MARK"),
    syn(3, "VIP:80"),
    syn(4, "VIP:443"),
    packet("tcp CLIENT:1 > VIP:80 A"),
    marks("-d VIP -p tcp --set-mark MARK2"),
    syn(5, "VIP:80"),
    syn(6, "VIP:443"),
    CONNECTIONS,
    SERVICES,
  ],
  [
    "the last rule decides",
    restore(
      "-A -f MARK -s rr",
      "-a -f MARK -r 192.168.150.21 -g",
      "-A -f MARK2 -s rr",
      "-a -f MARK2 -r 192.168.150.22 -g",
    ),
    marks(
      "-d VIP --set-mark MARK2",
      "-d VIP -p tcp --dports 1:1000 --set-mark MARK",
      "-d VIP -p tcp --dports 80 --set-mark MARK2",
    ),
    syn(1, "VIP:80"),
    syn(2, "VIP:443"),
    syn(3, "VIP:8080"),
    udp(4, "VIP:80"),
    CONNECTIONS,
    SERVICES,
  ],
  [
    "nobody to take it",
    restore("-A -f MARK -s rr"),
    marks("-d VIP --set-mark MARK", "-d FAR --set-mark MARK"),
    syn(1, "VIP:80"),
    syn(2, "FAR:80"),
    udp(3, "FAR:53"),
    packet("tcp CLIENT:4 > FAR:80 A"),
    packet("tcp CLIENT:4 > VIP:80 A"),
    packet("icmp CLIENT > FAR 8/0"),
  ],
  [
    "nobody to take it, IPv6",
    restore("-A -f MARK -6 -s rr"),
    marks("-d VIP6 --set-mark MARK", "-d FAR6 --set-mark MARK"),
    syn6(1, "[VIP6]:80"),
    syn6(2, "[FAR6]:80"),
    packet("tcp [CLIENT6]:4 > [FAR6]:80 A"),
  ],
  [
    "IPv6",
    service("-s rr", "-g", "-f MARK -6"),
    marks(
      "-d VIP6 -p tcp --dports 80,443 --set-mark MARK",
      "-s CLIENT6 -d FAR6 -p udp --dports 53 --set-mark MARK",
    ),
    syn6(1, "[VIP6]:80"),
    syn6(2, "[VIP6]:443"),
    syn6(3, "[VIP6]:444"),
    packet("udp [CLIENT6]:4 > [FAR6]:53 length=8"),
    packet("udp [CLIENT6]:4 > [FAR6]:54 length=8"),
    packet("tcp [CLIENT6]:1 > [VIP6]:80 A"),
    CONNECTIONS,
    SERVICES,
  ],
  [
    "one mark in both families",
    service("-s rr"),
    service("-s rr", "-g", "-f MARK -6"),
    marks("-d VIP -p tcp --set-mark MARK", "-d VIP6 -p tcp --set-mark MARK"),
    syn(1, "VIP:80"),
    syn6(1, "[VIP6]:80"),
    syn(2, "VIP:80"),
    syn6(2, "[VIP6]:80"),
    // Not their services: the kernel lists them newest first, which ipvsadm does not show.
    CONNECTIONS,
  ],
];

const METHODS: readonly Row[] = [
  ...["-g", "-i", "-m"].map(
    (method): Row => [
      `${method}, from SYN to FIN`,
      service("-s rr", method),
      marks("-d FAR -p tcp --dports 80 --set-mark MARK"),
      syn(1, "FAR:80"),
      ...(method === "-m"
        ? [
            packet("tcp 192.168.150.23:80 > CLIENT:1 SA"),
            packet("tcp 192.168.150.23:81 > CLIENT:1 A"),
          ]
        : []),
      packet("tcp CLIENT:1 > FAR:80 A"),
      packet("tcp CLIENT:1 > FAR:80 PA length=100 df"),
      packet("tcp CLIENT:1 > FAR:80 PA length=100 ttl=1"),
      CONNECTIONS,
      packet("tcp CLIENT:1 > FAR:80 FA"),
      ...(method === "-m" ? [packet("tcp 192.168.150.23:80 > CLIENT:1 FA")] : []),
      CONNECTIONS,
      SERVICES,
    ],
  ),
  [
    "-m, servers with a port and without",
    restore(
      "-A -f MARK -s rr",
      "-a -f MARK -r 192.168.150.21 -m",
      "-a -f MARK -r 192.168.150.22:8080 -m",
    ),
    marks("-d VIP --set-mark MARK"),
    syn(1, "VIP:80"),
    syn(2, "VIP:443"),
    udp(3, "VIP:53"),
    udp(4, "VIP:53"),
    packet("tcp 192.168.150.22:8080 > CLIENT:1 SA"),
    packet("udp 192.168.150.22:8080 > CLIENT:3 length=8"),
    CONNECTIONS,
  ],
  [
    "-g with a port: the server gets the packet's own",
    restore("-A -f MARK -s rr", "-a -f MARK -r 192.168.150.21:8080 -g"),
    marks("-d VIP -p tcp --set-mark MARK"),
    syn(1, "VIP:80"),
    packet("tcp CLIENT:1 > VIP:80 A"),
    CONNECTIONS,
    SERVICES,
  ],
  [
    "-m, IPv6",
    service("-s rr", "-m", "-f MARK -6"),
    marks("-d FAR6 -p tcp --dports 80 --set-mark MARK"),
    syn6(1, "[FAR6]:80"),
    packet("tcp [fd15::23]:80 > [CLIENT6]:1 SA"),
    packet("tcp [CLIENT6]:1 > [FAR6]:80 A"),
    CONNECTIONS,
  ],
  [
    "-m, ICMPv6 errors from the client's side",
    service("-s rr", "-m", "-f MARK -6"),
    marks("-d FAR6 -p tcp --dports 80 --set-mark MARK"),
    syn6(1, "[FAR6]:80"),
    packet("icmp [fd09::7] > [FAR6] 1/3 about tcp [FAR6]:80 > [CLIENT6]:1 A"),
    marks("-d FAR6 --set-mark MARK"),
    packet("icmp [fd09::7] > [FAR6] 1/3 about tcp [FAR6]:80 > [CLIENT6]:1 A"),
  ],
  [
    "-m, ICMP errors both ways",
    service("-s rr", "-m"),
    marks("-d FAR -p tcp --dports 80 --set-mark MARK", "-d VIP -p tcp --set-mark MARK"),
    syn(1, "FAR:80"),
    packet("tcp 192.168.150.23:80 > CLIENT:1 SA"),
    packet("icmp 10.9.0.7 > FAR 3/1 about tcp FAR:80 > CLIENT:1 A"),
    packet("icmp 10.9.0.7 > FAR 3/1 ttl=1 about tcp FAR:80 > CLIENT:1 A"),
    packet("icmp 10.9.0.7 > FAR 3/1 ttl=2 about tcp FAR:80 > CLIENT:1 A"),
    marks(
      "-d FAR -p tcp --dports 80 --set-mark MARK",
      "-d FAR -p icmp --set-mark MARK",
      "-d VIP -p tcp --set-mark MARK",
    ),
    packet("icmp 10.9.0.7 > FAR 3/1 about tcp FAR:80 > CLIENT:1 A"),
    packet("icmp 10.9.0.7 > FAR 3/1 ttl=1 about tcp FAR:80 > CLIENT:1 A"),
    packet("icmp 192.168.150.23 > CLIENT 3/3 about tcp CLIENT:1 > 192.168.150.23:80 A"),
    syn(2, "VIP:80"),
    packet("icmp 10.9.0.7 > VIP 3/1 about tcp VIP:80 > CLIENT:2 A"),
  ],
  [
    "-g, fragments are marked by the ports of the first",
    service("-s rr"),
    marks("-d VIP -p udp --dports 53 --set-mark MARK"),
    packet("udp CLIENT:1 > VIP:53 length=1000 fragment=0-800"),
    packet("udp CLIENT:1 > VIP:53 length=1000 fragment=800-1008"),
    packet("udp CLIENT:2 > VIP:54 length=1000 fragment=0-800"),
    packet("udp CLIENT:2 > VIP:54 length=1000 fragment=800-1008"),
    CONNECTIONS,
  ],
];

const PERSISTENCE: readonly Row[] = [
  [
    "-p: ports and protocols stick together",
    service("-s rr -p 60", "-m"),
    marks(
      "-d VIP -p tcp --dports 80,443 --set-mark MARK",
      "-d VIP -p udp --dports 53 --set-mark MARK",
      "-d FAR -p sctp --set-mark MARK",
    ),
    syn(1, "VIP:80"),
    syn(2, "VIP:443"),
    udp(3, "VIP:53"),
    packet("sctp CLIENT:4 > FAR:9 1"),
    packet("tcp 10.9.0.7:5 > VIP:80 S"),
    packet("tcp 10.9.0.7:6 > VIP:443 S"),
    CONNECTIONS,
    SERVICES,
    packet("tcp CLIENT:1 > VIP:80 A"),
    packet("tcp 192.168.150.23:80 > CLIENT:1 SA"),
    packet("tcp CLIENT:1 > VIP:80 A"),
    CONNECTIONS,
  ],
  [
    "-p with a netmask",
    service("-s rr -p 60 -M 255.255.255.0"),
    marks("-d VIP -p tcp --set-mark MARK"),
    packet("tcp 10.9.1.1:5 > VIP:80 S"),
    packet("tcp 10.9.1.200:5 > VIP:443 S"),
    packet("tcp 10.9.2.1:5 > VIP:80 S"),
    CONNECTIONS,
  ],
  [
    "-p: a server's port is not used",
    service("-s rr -p 60", "-m", "-f MARK", ":8080"),
    marks("-d VIP -p tcp --set-mark MARK"),
    syn(1, "VIP:80"),
    syn(2, "VIP:443"),
    CONNECTIONS,
    SERVICES,
  ],
  [
    "-p: TCP and UDP of one client",
    service("-s rr -p 60"),
    marks("-d VIP --set-mark MARK"),
    syn(1, "VIP:80"),
    udp(2, "VIP:80"),
    CONNECTIONS,
  ],
  [
    "-p, IPv6 with a prefix",
    service("-s rr -p 60 -M 64", "-g", "-f MARK -6"),
    marks("-d VIP6 -p tcp --set-mark MARK"),
    packet("tcp [fd09::1]:5 > [VIP6]:80 S"),
    packet("tcp [fd09::2]:5 > [VIP6]:443 S"),
    packet("tcp [fd09:0:0:1::1]:5 > [VIP6]:80 S"),
    CONNECTIONS,
    SERVICES,
  ],
  [
    "-p: two marks are two services",
    restore(
      "-A -f MARK -s rr -p 60",
      ...SERVERS.map((number) => `-a -f MARK -r 192.168.150.${number} -g`),
      "-A -f MARK2 -s rr -p 60",
      ...SERVERS.map((number) => `-a -f MARK2 -r 192.168.150.${number} -g`),
    ),
    marks(
      "-d VIP -p tcp --dports 80 --set-mark MARK",
      "-d VIP -p tcp --dports 443 --set-mark MARK2",
    ),
    packet("tcp 10.9.0.7:1 > VIP:80 S"),
    syn(1, "VIP:80"),
    syn(2, "VIP:443"),
    syn(3, "VIP:80"),
    syn(4, "VIP:443"),
    CONNECTIONS,
  ],
  [
    "-o: every datagram by itself, TCP not",
    service("-s rr -o"),
    marks("-d VIP --set-mark MARK"),
    ...[1, 1, 1, 2].map((port) => udp(port, "VIP:53")),
    syn(1, "VIP:80"),
    packet("tcp CLIENT:1 > VIP:80 A"),
    packet("sctp CLIENT:1 > VIP:9 1"),
    CONNECTIONS,
    SERVICES,
  ],
  [
    "-o -m: replies are not translated",
    service("-s rr -o", "-m"),
    marks("-d VIP --set-mark MARK"),
    udp(1, "VIP:53"),
    packet("udp 192.168.150.23:53 > CLIENT:1 length=8"),
    SERVICES,
  ],
];

/** Schedulers that go by the address which a client asked for. */
const BY_DESTINATION: readonly Row[] = ["dh", "lblc", "lblcr"].map((scheduler): Row => {
  const addresses = ["VIP", "FAR", "172.20.200.1", "172.20.200.2", "172.20.200.3", "172.20.201.9"];
  return [
    `-s ${scheduler}: by the address that is asked for`,
    service(`-s ${scheduler}`),
    marks("-s CLIENT -p tcp --set-mark MARK"),
    ...[...addresses, ...addresses].map((address, index) => syn(index + 1, `${address}:80`)),
    SERVICES,
  ];
});

const REMOVAL: readonly Row[] = [
  ...["-g", "-m"].map(
    (method): Row => [
      `a rule removed midway, ${method}`,
      service("-s rr", method),
      marks("-d VIP -p tcp --set-mark MARK", "-d FAR -p tcp --set-mark MARK"),
      syn(1, "VIP:80"),
      syn(2, "FAR:80"),
      marks(),
      packet("tcp CLIENT:1 > VIP:80 A"),
      packet("tcp CLIENT:2 > FAR:80 A"),
      packet("tcp 192.168.150.23:80 > CLIENT:1 SA"),
      packet("tcp 192.168.150.22:80 > CLIENT:2 SA"),
      syn(3, "VIP:80"),
      syn(4, "FAR:80"),
      CONNECTIONS,
      marks("-d FAR -p tcp --dports 80 --set-mark MARK"),
      packet("tcp CLIENT:2 > FAR:80 A"),
      CONNECTIONS,
      SERVICES,
    ],
  ),
  [
    "a rule changed midway to another mark",
    restore(
      "-A -f MARK -s rr",
      "-a -f MARK -r 192.168.150.21 -g",
      "-A -f MARK2 -s rr",
      "-a -f MARK2 -r 192.168.150.22 -g",
    ),
    marks("-d VIP -p tcp --set-mark MARK"),
    syn(1, "VIP:80"),
    marks("-d VIP -p tcp --set-mark MARK2"),
    packet("tcp CLIENT:1 > VIP:80 A"),
    syn(2, "VIP:80"),
    CONNECTIONS,
    SERVICES,
  ],
  [
    "a server removed",
    service("-s rr"),
    marks("-d FAR -p tcp --set-mark MARK"),
    syn(1, "FAR:80"),
    ipvsadm("-d -f MARK -r 192.168.150.23"),
    packet("tcp CLIENT:1 > FAR:80 A"),
    syn(2, "FAR:80"),
    ipvsadm("-a -f MARK -r 192.168.150.23 -g"),
    packet("tcp CLIENT:1 > FAR:80 A"),
    CONNECTIONS,
    SERVICES,
  ],
];

export const MARKS: CaseFile = {
  features: {
    [GROUP]:
      "Firewall marks: ports, protocols and addresses as one service, addresses that are not the director's, persistence",
  },
  cases: (): Case[] =>
    [...LOOKUP, ...METHODS, ...PERSISTENCE, ...BY_DESTINATION, ...REMOVAL].map(([name, ...steps]) =>
      framesCase(GROUP, name, [...steps, marks()]),
    ),
};
