/** What somebody typed into a form, as what it means. Throws an Error that says what would be right. */
import type { WireForwarding, WireServiceKey } from "../../../src/control/wire.ts";
import type { Protocol } from "../../../src/ipvs/desired/service.ts";
import type { SchedulerName } from "../../../src/ipvs/schedulers/index.ts";
import { Address } from "../../../src/net/address.ts";
import type { Speaker } from "../frame/speaker.ts";
import type { Word } from "./vocabulary.ts";

export const PROTOCOLS: readonly Protocol[] = ["tcp", "udp", "sctp"];

/** In the order of a form, the default first; a scheduler that is missing fails the type check. */
// biome-ignore format: a list
export const SCHEDULERS: readonly string[] = Object.keys({
  wlc: 0, rr: 0, wrr: 0, lc: 0, sed: 0, nq: 0, sh: 0, dh: 0, mh: 0, lblc: 0, lblcr: 0, fo: 0, ovf: 0, twos: 0,
} satisfies Record<Exclude<SchedulerName, "none">, 0>);

/** IANA's port for GUE. */
const GUE_PORT = 6080;

export const FORWARDINGS: Readonly<Record<string, WireForwarding>> = {
  route: { kind: "route" },
  masquerade: { kind: "masquerade" },
  "tunnel ipip": { kind: "tunnel", encapsulation: "ipip" },
  "tunnel gre": { kind: "tunnel", encapsulation: "gre", checksum: "none" },
  "tunnel gue": { kind: "tunnel", encapsulation: "gue", port: GUE_PORT, checksum: "none" },
};

const PORT_MAX = 65_535;
const WEIGHT_MAX = 65_535;
const MARK_MAX = 0xffff_ffff;
/** 31 days, as ipvsadm has it. */
const PERSISTENCE_MAX = 2_678_400;

/** `place`: an address, or a firewall mark, of IPv4. */
export function serviceIn(
  protocol: Protocol,
  place: string,
  port: string,
  say: Speaker<Word>,
): WireServiceKey {
  const address = Address.parse(place.trim());
  if (address !== undefined) {
    const number = within(port, 0, PORT_MAX, "badServicePort", say);
    return { kind: "endpoint", protocol, endpoint: { address: address.toString(), port: number } };
  }
  return { kind: "mark", family: "inet", mark: within(place, 1, MARK_MAX, "badMark", say) };
}

export function endpointIn(place: string, port: string, say: Speaker<Word>) {
  const address = Address.parse(place.trim());
  if (address === undefined) throw new Error(say("badAddress", { text: place }));
  return { address: address.toString(), port: within(port, 1, PORT_MAX, "badPort", say) };
}

export function weightIn(text: string, say: Speaker<Word>): number {
  return within(text, 0, WEIGHT_MAX, "badWeight", say);
}

/** Nothing typed: not persistent. */
export function persistenceIn(text: string, say: Speaker<Word>): number | undefined {
  if (text.trim() === "") return undefined;
  return within(text, 1, PERSISTENCE_MAX, "badPersistence", say);
}

function within(
  text: string,
  least: number,
  most: number,
  otherwise: Word,
  say: Speaker<Word>,
): number {
  const number = Number(text.trim());
  if (/^\d{1,10}$/.test(text.trim()) && number >= least && number <= most) return number;
  throw new Error(say(otherwise, { text }));
}
