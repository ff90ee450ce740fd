import { expect, test } from "vitest";
import { TEST_NAMES } from "../../../test/names.ts";
import type { WireConnection, WireServiceStatus } from "../../control/wire.ts";
import type { TableListing } from "./command.ts";
import { endpointPrinter } from "./printed-names.ts";
import { renderConnections } from "./render-connections.ts";
import { renderServices } from "./render-services.ts";

const numeric = endpointPrinter(TEST_NAMES, true);

const HEADING = { ipvsVersion: "1.2.1", connectionTableSize: 4096 };

const LISTING: TableListing = {
  kind: "list-services",
  service: undefined,
  view: "default",
  isNumeric: true,
  isExact: false,
  isSorted: true,
};

const SERVICE: WireServiceStatus = {
  key: { kind: "endpoint", protocol: "tcp", endpoint: { address: "10.9.0.100", port: 80 } },
  scheduler: "rr",
  schedulerFlags: [],
  onePacket: false,
  persistence: { timeoutSeconds: 60, netmask: "255.255.255.0" },
  persistenceEngine: null,
  counters: {
    connections: 5,
    inPackets: 25,
    outPackets: 20,
    inBytes: 123_456_789,
    outBytes: 123_456_789_012,
  },
  rates: {
    connectionsPerSecond: 1,
    inPacketsPerSecond: 2,
    outPacketsPerSecond: 200_000_000,
    inBytesPerSecond: 200_000_000,
    outBytesPerSecond: 72,
  },
  destinations: [
    {
      endpoint: { address: "10.1.0.12", port: 80 },
      forwarding: { kind: "masquerade" },
      weight: 2,
      upperThreshold: 100,
      lowerThreshold: 50,
      activeConnections: 3,
      inactiveConnections: 9,
      persistentConnections: 1,
      counters: {
        connections: 2,
        inPackets: 10,
        outPackets: 8,
        inBytes: 536,
        outBytes: 438,
      },
      rates: {
        connectionsPerSecond: 200_000_000,
        inPacketsPerSecond: 2,
        outPacketsPerSecond: 3,
        inBytesPerSecond: 200_000_000,
        outBytesPerSecond: 5,
      },
    },
  ],
};

test.for<[view: TableListing["view"], isExact: boolean, text: string]>([
  [
    "default",
    false,
    `Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  10.9.0.100:80 rr persistent 60 mask 255.255.255.0
  -> 10.1.0.12:80                 Masq    2      3          9         
`,
  ],
  [
    "persistent-conn",
    false,
    `Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn 
  -> RemoteAddress:Port
TCP  10.9.0.100:80 rr persistent 60 mask 255.255.255.0
  -> 10.1.0.12:80                 2         1           3          9         
`,
  ],
  [
    "thresholds",
    false,
    `Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn 
  -> RemoteAddress:Port
TCP  10.9.0.100:80 rr persistent 60 mask 255.255.255.0
  -> 10.1.0.12:80                 100        50         3          9         
`,
  ],
  [
    "stats",
    false,
    `Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes
  -> RemoteAddress:Port
TCP  10.9.0.100:80                       5       25       20  123456K     123G
  -> 10.1.0.12:80                        2       10        8      536      438
`,
  ],
  [
    "stats",
    true,
    `Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes
  -> RemoteAddress:Port
TCP  10.9.0.100:80                       5       25       20 123456789 123456789012
  -> 10.1.0.12:80                        2       10        8      536      438
`,
  ],
  [
    "rate",
    false,
    `Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS
  -> RemoteAddress:Port
TCP  10.9.0.100:80                       1        2  200000K  200000K       72
  -> 10.1.0.12:80                 200000000        2        3  200000K        5
`,
  ],
])("--%s, exact %s", async ([view, isExact, text]) => {
  const { key } = SERVICE;
  const listing = { ...LISTING, view, isExact, service: key };
  expect(await whole(renderServices([SERVICE], listing, HEADING, numeric))).toBe(text);
});

test("long names of IPv4 are cut to their columns", async () => {
  const names = { ...TEST_NAMES, hostOf: async () => "a-name-that-is-much-too-long.example.com" };
  const print = endpointPrinter(names, false);
  const listing = { ...LISTING, service: SERVICE.key };
  const [, , service, destination] = (
    await whole(renderServices([SERVICE], listing, HEADING, print))
  ).split("\n");
  expect(service).toBe("TCP  a-name-that-is-much-too-long rr persistent 60 mask 255.255.255.0");
  expect(destination).toBe(
    "  -> a-name-that-is-much-too-long Masq    2      3          9         ",
  );
});

const ESTABLISHED: WireConnection = {
  protocol: "TCP",
  state: "ESTABLISHED",
  expiresInMs: 898_999,
  ageSeconds: 5,
  client: { address: "10.9.0.2", port: 34_310 },
  virtual: { address: "10.9.0.100", port: 80 },
  destination: { address: "10.1.0.12", port: 8080 },
  persistenceEngine: null,
};

const connections: readonly WireConnection[] = [
  ESTABLISHED,
  {
    ...ESTABLISHED,
    state: "ASSURED",
    expiresInMs: 59_000,
    client: { address: "10.1.0.0", port: 0 },
    virtual: { address: "10.1.0.100", port: 80 },
    destination: { address: "10.1.0.12", port: 80 },
  },
  {
    ...ESTABLISHED,
    protocol: "IP",
    state: "NONE",
    expiresInMs: 6_000_000,
    client: { address: "10.1.0.2", port: 0 },
    virtual: { address: "0.0.0.7", port: 0 },
    destination: { address: "10.1.0.12", port: 0 },
  },
  {
    ...ESTABLISHED,
    protocol: "UDP",
    state: "UDP",
    client: { address: "2001:db8::2", port: 5060 },
    virtual: { address: "2001:db8::80", port: 5060 },
    destination: { address: "10.1.0.12", port: 5060 },
    persistenceEngine: { name: "sip", data: "call@host" },
  },
];

test("-L -c", async () => {
  const listing = {
    kind: "list-connections",
    isNumeric: true,
    withPersistenceData: false,
  } as const;
  expect(await whole(renderConnections(stream(connections), listing, numeric))).toBe(
    `IPVS connection entries
pro expire state       source             virtual            destination
TCP 14:58  ESTABLISHED 10.9.0.2:34310     10.9.0.100:80      10.1.0.12:8080
TCP 00:59  ASSURED     10.1.0.0:0         10.1.0.100:80      10.1.0.12:80
IP  100:00 NONE        10.1.0.2:0         0.0.0.7:0          10.1.0.12:0
UDP 14:58  UDP         [2001:db8::2]:5060 [2001:db8::80]:5060 10.1.0.12:5060
`,
  );
});

test("-L -c --persistent-conn", async () => {
  const listing = { kind: "list-connections", isNumeric: true, withPersistenceData: true } as const;
  const text = await whole(renderConnections(stream(connections), listing, numeric));
  expect(text.split("\n").slice(1, 3).concat(text.split("\n").slice(5))).toEqual([
    "pro expire state       source             virtual            destination        pe name          pe_data",
    "TCP 14:58  ESTABLISHED 10.9.0.2:34310     10.9.0.100:80      10.1.0.12:8080",
    "UDP 14:58  UDP         [2001:db8::2]:5060 [2001:db8::80]:5060 10.1.0.12:5060   sip                call@host",
    "",
  ]);
});

async function whole(parts: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const part of parts) text += part;
  return text;
}

async function* stream(items: readonly WireConnection[]): AsyncGenerator<WireConnection> {
  yield* items;
}
