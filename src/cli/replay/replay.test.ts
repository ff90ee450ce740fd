import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Address } from "../../net/address.ts";
import { emitEthernet } from "../../net/ethernet.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { emitIpv4 } from "../../net/ipv4.ts";
import { parseMac } from "../../net/mac-address.ts";
import { toPort } from "../../net/port.ts";
import { emitTcp, TCP_FLAG } from "../../net/tcp.ts";
import { run } from "./main.ts";

const VIP = Address.parse("198.51.100.1")!;
const CLIENTS = 300;
const MAC = {
  client: "02:00:00:00:00:01",
  director: "02:00:00:00:00:02",
  server: "02:00:00:00:00:03",
};

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-replay-"));
  writeFileSync(
    join(folder, "web.yaml"),
    `services: [{vip: ${VIP}, port: 80, scheduler: rr, destinations: [{address: 10.0.0.1}, {address: 10.0.0.2, weight: 2}]}]\n`,
  );
  writeFileSync(join(folder, "web.pcap"), capture());
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A frame of a connection's first or second packet. */
function frame(number: number, flags: number, from: string, to: string): Uint8Array {
  const source = Address.inet(0x0a09_0000 + number);
  const addresses = { source, destination: VIP };
  const ports = { source: toPort(1000)!, destination: toPort(80)! };
  const segment = emitTcp({ ...ports, flags }, new Uint8Array(0), addresses);
  const packet = emitIpv4({ ...addresses, protocol: IP_PROTOCOL.tcp }, segment);
  const ends = { source: parseMac(from)!, destination: parseMac(to)! };
  return emitEthernet({ ...ends, etherType: 0x0800 }, packet);
}

/**
 * SYN and ACK of each client, each seen again as the director sent it on; one of a connection that nobody saw begin; and
 * before all, what the director itself asked the server, as health checks do.
 */
function capture(): Uint8Array {
  const frames = [
    frame(9_998, TCP_FLAG.syn, MAC.director, MAC.server),
    frame(9_999, TCP_FLAG.ack, MAC.client, MAC.director),
  ];
  for (let number = 1; number <= CLIENTS; number++) {
    for (const flags of [TCP_FLAG.syn, TCP_FLAG.ack]) {
      frames.push(frame(number, flags, MAC.client, MAC.director));
      frames.push(frame(number, flags, MAC.director, MAC.server));
    }
  }
  const parts = [header(24, [0xa1b2c3d4, 0x0004_0002, 0, 0, 65_535, 1])];
  for (const [index, bytes] of frames.entries()) {
    parts.push(
      header(16, [Math.floor(index / 100), (index % 100) * 10_000, bytes.length, bytes.length]),
      bytes,
    );
  }
  return Buffer.concat(parts);
}

function header(length: number, words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of words.entries()) view.setUint32(index * 4, word, true);
  return bytes;
}

async function replayed(line: string): Promise<{ code: number; said: string; complaint: string }> {
  let said = "";
  let complaint = "";
  const code = await run(line.replaceAll("@", `${folder}/`).split(" "), {
    environment: {},
    write: async (text) => {
      said += text;
    },
    complain: (text) => {
      complaint += text;
    },
  });
  return { code, said, complaint };
}

test("as configured, and by other schedulers side by side", async () => {
  const { code, said } = await replayed(
    "@web.pcap --config @web.yaml --scheduler rr,wrr,sh --json",
  );
  expect(code).toBe(0);
  const { packets, spreads } = JSON.parse(said) as {
    readonly packets: number;
    readonly spreads: readonly {
      readonly services: readonly {
        readonly destinations: readonly {
          readonly connections: number;
          readonly packets: number;
        }[];
      }[];
      readonly reasons: Readonly<Record<string, number>>;
    }[];
  };
  expect(packets).toBe(2 + 4 * CLIENTS);
  const spread = spreads.map(({ services }) =>
    services[0]!.destinations.map((each) => each.connections),
  );
  expect(spread.slice(0, 2)).toEqual([
    [150, 150],
    [100, 200],
  ]);
  expect(spread[2]!.reduce((sum, count) => sum + count, 0)).toBe(CLIENTS);
  expect(spreads[0]!.services[0]!.destinations[0]!.packets).toBe(CLIENTS);
  expect(spreads[0]!.reasons["pass-not-first"]).toBe(1);
});

test("a page with bars", async () => {
  const { said } = await replayed("@web.pcap --config @web.yaml");
  expect(said).toBe(`TCP 198.51.100.1:80: 300 connections
                      weight  as configured
  10.0.0.1:80         1       ######       150  50.0%
  10.0.0.2:80         2       ######       150  50.0%
  most, of its share                       1.50

1202 packets were recorded.
1 packet of connections that began before the capture did went to nobody.
`);
});

// biome-ignore format: a table
const mistakes: [line: string, code: number, complaint: string][] = [
  ["@web.pcap",                                        2, "expected a capture, and --config"],
  ["@web.pcap --config @web.yaml --scheduler fastest", 2, "--scheduler fastest: expected some of rr, "],
  ["@web.yaml --config @web.yaml",                     1, "it is no capture: expected pcap or pcapng"],
  ["@none --config @web.yaml",                         1, "ENOENT"],
  ["@web.pcap --config @web.pcap",                     1, "web.pcap"],
];

test.for(mistakes)("sluice replay %s ends with %d", async ([line, code, complaint]) => {
  const ended = await replayed(line);
  expect(ended).toMatchObject({ code, said: "" });
  expect(ended.complaint).toContain(complaint);
});
