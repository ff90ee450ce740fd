import { afterAll, beforeAll, expect, test } from "vitest";
import { BenchNetwork, UserspaceBench } from "../../../test/userspace/bench.ts";
import { prng } from "../../base/prng.ts";
import { ETHERTYPE, emitEthernet } from "../../net/ethernet.ts";
import { parseMac } from "../../net/mac-address.ts";
import { INET, packet, sees, state } from "../contract/watching.contract.ts";
import { describeEngine } from "../engine.contract.ts";

let network: BenchNetwork;

beforeAll(async () => {
  network = await BenchNetwork.open();
});

afterAll(async () => {
  await network[Symbol.asyncDispose]();
});

describeEngine("the userspace engine", () => UserspaceBench.open(network));

describeEngine("the userspace engine on the wire", () => UserspaceBench.open(network, "wire"));

// A red run names its seed.
const SEEDS = [1, 2, 3];
const FRAMES = 1_000;

// On the wire fewer of the host's own checks come first.
const STANDS = ["hooks", "wire"] as const;
const runs = SEEDS.flatMap((seed) => STANDS.map((stand) => ({ seed, stand })));

test.for(runs)(
  "frames of rubbish do no harm at the $stand, seed $seed",
  async ({ seed, stand }) => {
    await using bench = await UserspaceBench.open(network, stand);
    await withRubbish(bench, seed);
  },
);

test.for(STANDS)(
  "what a router says of a tunnel's path the host learns, too (%s)",
  async (stand) => {
    await using bench = await UserspaceBench.open(network, stand);
    await bench.engine.apply(state("-A -t V:80", "-a -t V:80 -r R1 -i"));
    await sees(bench, "C", "C:1000 > V:80 S");
    const learnt = async () => {
      const row = "R2 > D too-big mtu 1300 about D > R1 in ipip C:1000 > V:80 S df";
      expect(await sees(bench, "R2", row)).toEqual([
        "C: V > C too-big mtu 1280 about C:1000 > V:80 S df",
      ]);
      return network.director.run(`ip route get ${INET.address("R1").toString()}`);
    };
    await expect.poll(learnt, { timeout: 10_000 }).toContain("mtu 1300");
    network.director.run("ip route flush cache");
  },
);

test.for([1, 8, 58])(
  "super-packets with segments of %d bytes are dropped and counted, and the rest goes on",
  async (segmentSize) => {
    await using bench = await UserspaceBench.open(network);
    await bench.engine.apply(state("-A -t V:80", "-a -t V:80 -r R1 -i"));
    await sees(bench, "C", "C:1000 > V:80 S");
    await network.sendAbsurd(INET.address("C"), INET.address("V"), segmentSize, 100);
    const counted = async () => (await bench.engine.reasons())["too-many-segments"];
    await expect.poll(counted, { timeout: 10_000 }).toBe(100);
    expect(await sees(bench, "C", "C:1001 > V:80 S")).toHaveLength(1);
  },
);

/** Still balances when the rubbish is over. */
async function withRubbish(bench: UserspaceBench, seed: number): Promise<void> {
  await bench.engine.apply(
    state("-A -t V:80", "-a -t V:80 -r R1 -m", "-A -u V:53", "-a -u V:53 -r R1 -i"),
  );
  await network.sendFrames("outside", rubbish(seed));
  await bench.arrivals();
  expect(await sees(bench, "C", "C:9999 > V:80 S")).toEqual(["R1: C:9999 > R1:80 S ttl 63"]);
}

/** Noise with an IP or ARP type; packets for the services, cut short or with bytes changed. */
function rubbish(seed: number): Uint8Array[] {
  const random = prng(seed);
  const source = parseMac("02:00:00:00:00:66")!;
  const destination = network.macOn("outside");
  const types = Object.values(ETHERTYPE);
  const models = [
    "C:1 > V:80 S",
    "C:2 > V:53 udp len 100",
    "R1 > V too-big mtu 1400 about V:80 > C:3 . len 1500",
    "D > R1 in ipip C:4 > V:80 S",
  ].map((row) => packet(row));
  return Array.from({ length: FRAMES }, () => {
    const etherType = random.of(types);
    const header = { destination, source, tag: undefined };
    if (random.below(2) === 0) {
      const noise = Uint8Array.from({ length: random.below(1400) }, () => random.below(256));
      return emitEthernet({ ...header, etherType }, noise);
    }
    const model = random.of(models);
    const cut = model.slice(0, 1 + random.below(model.length));
    for (let changes = random.below(4); changes > 0; changes--) {
      cut[random.below(cut.length)] = random.below(256);
    }
    return emitEthernet({ ...header, etherType: ETHERTYPE.ipv4 }, cut);
  });
}
