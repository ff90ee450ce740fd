/**
 * What every engine promises. Each engine's own test file calls describeEngine() with its own bench.
 *
 * The bench's network is the one that packet rows are about (test/packets/names.ts): clients C and C2 outside, real
 * servers R1 and R2 inside, each of them played by the test packet by packet. The director has the VIPs V and V2 and
 * its own addresses E outside and D inside, and it forwards.
 */
import { describe } from "vitest";
import { applying } from "./contract/applying.contract.ts";
import { connections } from "./contract/connections.contract.ts";
import { counting } from "./contract/counting.contract.ts";
import { forwarding } from "./contract/forwarding.contract.ts";
import { leaving } from "./contract/leaving.contract.ts";
import type { Engine } from "./engine.ts";

export type Station = "C" | "C2" | "R1" | "R2";

export interface Arrival {
  readonly at: Station;
  readonly packet: Uint8Array;
}

/** An engine on a test bench: it can be sent packets, and what comes out can be watched. */
export interface Bench extends AsyncDisposable {
  readonly engine: Engine;
  /** Puts IP packets on the wire, from a station to the director. */
  send(station: Station, ...packets: Uint8Array[]): Promise<void>;
  /** What reached stations since the last call, when everything that was sent so far has been dealt with. */
  arrivals(): Promise<readonly Arrival[]>;
}

export type OpenBench = () => Promise<Bench>;

export function describeEngine(name: string, open: OpenBench): void {
  describe(`${name} keeps the engine contract`, () => {
    leaving(open);
    forwarding(open);
    connections(open);
    applying(open);
    counting(open);
  });
}
