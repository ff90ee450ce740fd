/** What goes over the wires: taps at the switch's ports, read back by the steps, written as pcapng where wanted. */
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { FrameTap } from "../../engine/userspace/ring/frame-tap.ts";
import { EthernetView } from "../../net/ethernet.ts";
import type { MacAddress } from "../../net/mac-address.ts";
import {
  enhancedPacket,
  interfaceDescription,
  LINK_TYPE,
  sectionHeader,
} from "../../net/pcapng.ts";
import { contentOf, type FrameContent } from "./frame-content.ts";
import { type HostName, type HostPlan, macOf, portOf } from "./plan.ts";

export interface WireFrame {
  readonly ethernetSource: MacAddress;
  /** Bytes behind the Ethernet header: what the wire's MTU limits. */
  readonly length: number;
  readonly content: FrameContent;
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
  const { source: ethernetSource, payload } = ethernet;
  return { ethernetSource, length: payload.length, content: contentOf(ethernet) };
}
