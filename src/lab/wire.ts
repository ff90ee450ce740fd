/** What goes over the wires: taps at the switch's ports, read back by the steps, written as pcapng where wanted. */
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { FrameTap } from "../engine/userspace/frame-tap.ts";
import { ADDRESS_LENGTH, Address } from "../net/address.ts";
import { ARP_OPERATION, ArpView } from "../net/arp.ts";
import { ETHERTYPE, EthernetView } from "../net/ethernet.ts";
import { ICMPV6_HEADER_LENGTH, ICMPV6_TYPE } from "../net/icmpv6.ts";
import { IP_PROTOCOL } from "../net/ip-protocol.ts";
import { Ipv4View } from "../net/ipv4.ts";
import { Ipv6View } from "../net/ipv6.ts";
import type { MacAddress } from "../net/mac-address.ts";
import { enhancedPacket, interfaceDescription, LINK_TYPE, sectionHeader } from "../net/pcapng.ts";
import { PortsView } from "../net/ports.ts";
import { endpoint } from "./endpoint.ts";
import { type HostName, type HostPlan, macOf, portOf } from "./plan.ts";

/** What one frame says, as far as the laboratories' statements ask. */
export interface WireFrame {
  readonly ethernetSource: MacAddress;
  readonly content: /** Who has the address that it is about: asked, or answered. */
    | {
        readonly kind: "arp-reply" | "neighbour-solicitation" | "neighbour-advertisement";
        readonly about: string;
      }
    /** Endpoints as `address:port`. */
    | { readonly kind: "tcp"; readonly source: string; readonly destination: string }
    | { readonly kind: "other" };
}

export interface Wire {
  /** Every frame that left or reached a host's cards since the laboratory was built, in order. */
  frames(host: HostName): Promise<readonly WireFrame[]>;
  /** Frames that were not seen, because too many came at once or FRAMES_MAX were remembered. */
  lost(): number;
  /** From now on frames are written where wanted, but no longer remembered. */
  forget(): void;
}

/** More than a thousand requests make; for the steps' questions, not for the files. */
const FRAMES_MAX = 500_000;

/** A frame is tapped before it is delivered, but this process may still have to be woken for it. */
const SETTLE_MS = 150;

/** Taps every card of `hosts`; `indexOf` gives a port's interface index. Files go to `directory`, which exists, one a
 * host. */
export function tapWires(
  hosts: readonly HostPlan[],
  indexOf: (port: string) => number,
  directory: string | undefined,
): Wire {
  const remembered = new Map<HostName, WireFrame[]>(hosts.map(({ name }) => [name, []]));
  let isForgetting = false;
  let unremembered = 0;

  const taps = hosts.flatMap((host) => {
    const frames = remembered.get(host.name)!;
    const write = directory === undefined ? () => {} : openCapture(directory, host);
    return host.cards.map((card, number) => {
      const mac = macOf(card.address);
      return new FrameTap(indexOf(portOf(host, card)), (bytes) => {
        const frame = summarize(bytes);
        write(number, bytes, frame?.ethernetSource === mac ? "out" : "in");
        if (frame === undefined || isForgetting) return;
        if (frames.length < FRAMES_MAX) frames.push(frame);
        else unremembered++;
      });
    });
  });

  return {
    frames: async (host) => {
      await delay(SETTLE_MS);
      for (const tap of taps) tap.drain();
      return remembered.get(host) ?? [];
    },
    lost: () => taps.reduce((sum, tap) => sum + tap.dropped(), unremembered),
    forget: () => {
      isForgetting = true;
      remembered.clear();
    },
  };
}

type WriteFrame = (card: number, bytes: Uint8Array, direction: "in" | "out") => void;

/** The capture of one host, its cards in the plan's order. Whole after every frame: nothing is held back. */
function openCapture(directory: string, { name, cards }: HostPlan): WriteFrame {
  const file = openSync(join(directory, `${name}.pcapng`), "w");
  process.once("exit", () => closeSync(file));
  writeSync(file, sectionHeader({ application: "sluice lab", comment: `${name}'s wires` }));
  for (const card of cards) {
    const { ethernet } = LINK_TYPE;
    writeSync(
      file,
      interfaceDescription({ linkType: ethernet, name: card.name, resolution: "microseconds" }),
    );
  }
  return (card, data, direction) => {
    const timestamp = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000));
    writeSync(file, enhancedPacket({ interface: card, timestamp, data, direction }));
  };
}

/** Undefined for what is no Ethernet frame. */
export function summarize(bytes: Uint8Array): WireFrame | undefined {
  const ethernet = EthernetView.over(bytes);
  if (typeof ethernet === "string") return undefined;
  return { ethernetSource: ethernet.source, content: contentOf(ethernet) };
}

function contentOf(ethernet: EthernetView): WireFrame["content"] {
  const other = { kind: "other" } as const;
  if (ethernet.etherType === ETHERTYPE.arp) {
    const arp = ArpView.over(ethernet.payload);
    if (typeof arp === "string" || arp.operation !== ARP_OPERATION.reply) return other;
    return { kind: "arp-reply", about: `${arp.message.sender}` };
  }
  const ip = packetIn(ethernet);
  if (typeof ip === "string" || ip.fragmentOffset > 0) return other;
  if (ip.protocol === IP_PROTOCOL.icmpv6) return neighbourMessage(ip.payload) ?? other;
  if (ip.protocol !== IP_PROTOCOL.tcp) return other;
  const ports = PortsView.over(ip.payload);
  if (typeof ports === "string") return other;
  return {
    kind: "tcp",
    source: endpoint(`${ip.source}`, ports.source),
    destination: endpoint(`${ip.destination}`, ports.destination),
  };
}

function packetIn({ etherType, payload }: EthernetView): Ipv4View | Ipv6View | string {
  if (etherType === ETHERTYPE.ipv4) return Ipv4View.over(payload);
  return etherType === ETHERTYPE.ipv6 ? Ipv6View.over(payload) : "neither";
}

/** RFC 4861 sections 4.3 and 4.4: the target follows the first eight bytes. */
function neighbourMessage(bytes: Uint8Array): WireFrame["content"] | undefined {
  const { neighbourSolicitation, neighbourAdvertisement } = ICMPV6_TYPE;
  const isSolicitation = bytes[0] === neighbourSolicitation;
  if (!isSolicitation && bytes[0] !== neighbourAdvertisement) return undefined;
  if (bytes.length < ICMPV6_HEADER_LENGTH + ADDRESS_LENGTH.inet6) return undefined;
  return {
    kind: isSolicitation ? "neighbour-solicitation" : "neighbour-advertisement",
    about: `${Address.fromBytes(bytes, ICMPV6_HEADER_LENGTH, "inet6")}`,
  };
}
