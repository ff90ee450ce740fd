/** Packets meet the program at XDP: in the drivers of veths whose other ends take their frames, else in the generic form. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { command } from "../../../test/packets/commands.ts";
import type { Names } from "../../../test/packets/names.ts";
import { BenchNetwork, UserspaceBench } from "../../../test/userspace/bench.ts";
import { EMPTY_STATE } from "../../ipvs/desired/desired-state.ts";
import { forwarding } from "../contract/forwarding.contract.ts";
import { INET, INET6, packet, sees } from "../contract/watching.contract.ts";
import { type Arrival, type Bench, describeEngine, type Station } from "../engine.contract.ts";
import type { Engine } from "../engine.ts";

const POLLED = { timeout: 10_000, interval: 100 };
const UDP_CHECKSUM_AT = 26;
/** Interfaces whose indexes differ by so many have the same place in bpf/frame_xdp.h. */
const CARDS_MAX = 4096;

/** By default what of the contract packets meet at XDP itself; all else happens behind it, on the same maps as at tc. */
const IS_WHOLE = process.env.SLUICE_CONTRACT === "whole";

// biome-ignore format: a table
const SERVICES: [names: Names, commands: string][] = [
  [INET,  "-A -t V:81"], [INET,  "-a -t V:81 -r R1"],
  [INET,  "-A -t V:82"], [INET,  "-a -t V:82 -r R1 -i"],
  [INET,  "-A -t V:83"], [INET,  "-a -t V:83 -r R1:8083 -m"],
  [INET,  "-A -u V:84"], [INET,  "-a -u V:84 -r R1:8084 -m"],
  [INET,  "-A -u V:85"], [INET,  "-a -u V:85 -r R1"],
  [INET6, "-A -t V:86"], [INET6, "-a -t V:86 -r R1:8086 -m"],
];

let network: BenchNetwork;

beforeAll(async () => {
  network = await BenchNetwork.open();
});

afterAll(async () => {
  await network[Symbol.asyncDispose]();
});

if (IS_WHOLE) {
  describeEngine("the kernel engine at XDP", () => UserspaceBench.open(network, "kernel xdp"));
}

describe.skipIf(IS_WHOLE).each(["generic", "native"] as const)("%s", (mode) => {
  let bench: UserspaceBench;

  beforeAll(async () => {
    network.takeDriversFrames(mode === "native");
    bench = await UserspaceBench.open(network, "kernel xdp");
  });

  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
  });

  forwarding(async () => new SharedBench(bench));

  describe("by XDP alone", () => {
    beforeAll(async () => {
      const add = (now: typeof EMPTY_STATE, [names, text]: [Names, string]) =>
        command(now, text, names);
      await bench.engine.apply(SERVICES.reduce(add, EMPTY_STATE));
    });

    test("as the status tells", async () => {
      const { cards } = await bench.engine.condition();
      const why = mode === "native" ? null : expect.stringContaining("other end of this veth");
      expect(cards).toEqual([
        { interface: "outside", hook: `xdp ${mode}`, why },
        { interface: "inside", hook: `xdp ${mode}`, why },
      ]);
    });

    // biome-ignore format: a table
    const ways: [what: string, names: Names, sent: string, arrives: string][] = [
      ["direct routing", INET,  "C:1000 > V:81 P. len 700", "R1: C:1000 > V:81 P. len 700 ttl 63"],
      ["a tunnel",       INET,  "C:1000 > V:82 P. len 700", "R1: D > R1 ttl 63 in ipip C:1000 > V:82 P. len 700 ttl 63"],
      ["NAT",            INET,  "C:1000 > V:83 P. len 700", "R1: C:1000 > R1:8083 P. len 700 ttl 63"],
      ["UDP by NAT",     INET,  "C:1000 > V:84 udp len 60", "R1: C:1000 > R1:8084 udp len 60 ttl 63"],
      ["NAT over IPv6",  INET6, "C:1000 > V:86 P. len 99",  "R1: C:1000 > R1:8086 P. len 99 ttl 63"],
    ];

    test.for(ways)("%s", async ([, names, sent, arrives]) => {
      const first = sent.includes("udp") ? sent : sent.replace(/P\..*/, "S");
      await sees(bench, "C", first, names);
      const alone = () => byXdpAlone(bench, () => sees(bench, "C", sent, names));
      await expect.poll(alone, POLLED).toEqual([arrives]);
    });

    test("NAT's answers", async () => {
      await sees(bench, "C", "C:1001 > V:83 S");
      await sees(bench, "R1", "R1:8083 > C:1001 S.");
      const answer = () => sees(bench, "R1", "R1:8083 > C:1001 P. len 50");
      const alone = () => byXdpAlone(bench, answer);
      await expect.poll(alone, POLLED).toEqual(["C: V:83 > C:1001 P. len 50 ttl 63"]);
    });

    test("but not a packet whose checksum may be a card's to finish", async () => {
      const unfinished = packet("C:1000 > V:85 udp len 60");
      unfinished.set(pseudoSum(unfinished), UDP_CHECKSUM_AT);
      const count = async () => (await bench.engine.reasons())["kernel-pass-unfinished"]!;
      const goesUp = async (): Promise<number> => {
        const before = await count();
        await bench.send("C", unfinished);
        await bench.arrivals();
        return (await count()) - before;
      };
      await expect.poll(goesUp, POLLED).toBe(1);
    });

    test("beside an interface whose index ends in the same bits", async () => {
      const { director } = network;
      const [{ ifindex }] = JSON.parse(director.run("ip -j link show outside"));
      director.run(`ip link add alike index ${ifindex + CARDS_MAX} type veth peer name other`);
      director.run("ip link set alike up");
      const sent = () => sees(bench, "C", "C:1000 > V:81 P. len 80");
      const arrives = ["R1: C:1000 > V:81 P. len 80 ttl 63"];
      const hooks = async () =>
        (await bench.engine.condition()).cards.map((card) => `${card.interface} ${card.hook}`);
      await expect.poll(hooks, POLLED).toContain("alike xdp generic");
      await expect.poll(() => byXdpAlone(bench, sent), POLLED).toEqual(arrives);
      director.run("ip link delete alike");
      await expect.poll(hooks, POLLED).not.toContain("alike xdp generic");
      await expect.poll(() => byXdpAlone(bench, sent), POLLED).toEqual(arrives);
    });

    test("and in the other form, when the far ends of the wires are others", async () => {
      network.takeDriversFrames(mode === "generic");
      const hooks = async () => (await bench.engine.condition()).cards.map(({ hook }) => hook);
      const other = mode === "generic" ? "xdp native" : "xdp generic";
      await expect.poll(hooks, POLLED).toEqual([other, other]);
      const sent = () => sees(bench, "C", "C:1000 > V:81 P. len 90");
      const alone = () => byXdpAlone(bench, sent);
      await expect.poll(alone, POLLED).toEqual(["R1: C:1000 > V:81 P. len 90 ttl 63"]);
    });
  });
});

/** A bench that is left as if nobody had been there: an engine of its own for each test would take a second more. */
class SharedBench implements Bench {
  readonly engine: Engine;
  readonly #bench: UserspaceBench;

  constructor(bench: UserspaceBench) {
    this.#bench = bench;
    this.engine = bench.engine;
  }

  send(station: Station, ...packets: Uint8Array[]): Promise<void> {
    return this.#bench.send(station, ...packets);
  }

  arrivals(): Promise<readonly Arrival[]> {
    return this.#bench.arrivals();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for await (const _ of this.engine.endConnections({}));
    await this.engine.apply(EMPTY_STATE);
    await this.arrivals();
  }
}

/** What `send` has arrive if nothing of it went up the stack; else where packets went. */
async function byXdpAlone(
  bench: UserspaceBench,
  send: () => Promise<string[]>,
): Promise<string[] | string> {
  const before = await bench.engine.reasons();
  const arrived = await send();
  const after = await bench.engine.reasons();
  const more = Object.keys(after).filter((name) => after[name] !== before[name]);
  const passed = more.filter(
    (name) => name.startsWith("kernel-pass-") && name !== "kernel-pass-not-ours",
  );
  return passed.length === 0 && more.includes("kernel-forwarded") ? arrived : more.join();
}

/** The pseudo header's sum, as a sender leaves it to its card: of an IPv4 datagram, RFC 768. */
function pseudoSum(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let sum = 17 + bytes.length - 20;
  for (let at = 12; at < 20; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return Uint8Array.of(sum >>> 8, sum & 0xff);
}
