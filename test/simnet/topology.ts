/** Networks by chance: hosts with addresses and settings that answer ARP's questions in all kinds of ways. */
import { type Prng, prng } from "../../src/base/prng.ts";

export interface Topology {
  readonly segments: readonly string[];
  readonly hosts: readonly {
    readonly name: string;
    readonly cards: readonly {
      readonly name: string;
      readonly segment: string;
      readonly mac: string;
    }[];
    /** What is typed on it. */
    readonly lines: readonly string[];
  }[];
  /** Asked by ARP from the host "asker". */
  readonly questions: readonly {
    readonly card: string;
    readonly sender: string;
    readonly target: string;
  }[];
  readonly pings: readonly { readonly host: string; readonly target: string }[];
}

export interface Answers {
  /** Of each host's lines, whether it was obeyed. */
  readonly done: readonly boolean[];
  /** Of each question, the link-layer addresses that said "here". */
  readonly answers: readonly (readonly string[])[];
  /** Of each ping, whether it was answered. */
  readonly reached: readonly boolean[];
}

const SEGMENTS = ["lan0", "lan1"];
const NAMES = ["a", "b", "c"];
const QUESTIONS = 30;
const PINGS = 8;
const SHARED = "10.0.0.100";

export function topologyOf(seed: number): Topology {
  const random = prng(seed);
  const taken = new Set<string>();
  const addresses: { host: string; address: string }[] = [];
  const fresh = (host: string): string => {
    for (;;) {
      const address = `10.0.${random.below(2)}.${10 + random.below(60)}`;
      if (taken.has(address)) continue;
      taken.add(address);
      addresses.push({ host, address });
      return address;
    }
  };
  const hosts = NAMES.map((name, index) => {
    const count = 1 + random.below(2);
    const cards = SEGMENTS.slice(0, count).map((segment, number) => ({
      name: `eth${number}`,
      segment,
      mac: `02:00:00:00:0${number}:1${index}`,
    }));
    const lines = cards.flatMap((card) => {
      const prefix = random.of([24, 24, 24, 16, 32]);
      return [
        `ip addr add ${fresh(name)}/${prefix} dev ${card.name}`,
        `ip link set ${card.name} up`,
      ];
    });
    const places = [...cards.map((card) => card.name), "lo"];
    for (let more = random.below(3); more > 0; more--) {
      const scope = random.of(["", "", " scope host", " scope link"]);
      lines.push(
        `ip addr add ${fresh(name)}/${random.of([24, 32, 32])} dev ${random.of(places)}${scope}`,
      );
    }
    if (random.below(2) === 0) lines.push(`ip addr add ${SHARED}/32 dev lo`);
    lines.push(...settings(random, ["all", ...places]));
    return { name, cards, lines };
  });
  const asker = {
    name: "asker",
    cards: SEGMENTS.map((segment, number) => ({
      name: `eth${number}`,
      segment,
      mac: `02:00:00:00:0${number}:99`,
    })),
    lines: ["ip link set eth0 up", "ip link set eth1 up"],
  };
  const known = [...addresses.map(({ address }) => address), SHARED];
  const senders = [...known, "10.0.0.1", "10.0.1.1", "10.0.0.2", "172.16.0.1", "0.0.0.0"];
  return {
    segments: SEGMENTS,
    hosts: [...hosts, asker],
    questions: Array.from({ length: QUESTIONS }, () => ({
      card: random.of(["eth0", "eth1"]),
      sender: random.of(senders),
      target: random.of([...known, "10.0.0.9"]),
    })),
    // To addresses that one host alone has: who of two answers first is nobody's to say.
    pings: Array.from({ length: PINGS }, () => ({
      host: random.of(NAMES),
      target: random.of(addresses).address,
    })),
  };
}

function settings(random: Prng, places: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const place of places) {
    const set = (name: string, values: readonly number[]): void => {
      if (random.below(3) === 0)
        lines.push(`sysctl -w net.ipv4.conf.${place}.${name}=${random.of(values)}`);
    };
    set("arp_ignore", [0, 1, 1, 2, 3, 5, 8]);
    set("arp_announce", [0, 1, 2]);
    set("arp_filter", [0, 1]);
    set("rp_filter", [0, 1, 2]);
    set("accept_local", [0, 1]);
  }
  if (random.below(3) === 0) lines.push("sysctl -w net.ipv4.ip_forward=1");
  return lines;
}
