/** All who watch packets: while there is one, the packet path shows each packet here, before the director and after it. */
import type { Clock } from "../../../base/clock.ts";
import type { Director } from "../../../ipvs/director.ts";
import type { Outcome } from "../../../ipvs/packets/outcome.ts";
import type { Packet } from "../../../ipvs/packets/packet.ts";
import { PacketTracer } from "../../../ipvs/trace/packet-tracer.ts";
import type { FlowOffload } from "../../flow-offload.ts";
import type { HostNetwork } from "../../host/host-network.ts";
import type { PacketWatch, TraceOptions } from "../../trace.ts";
import type { PacketTap } from "../packet-path.ts";
import { forwardedPacket } from "./forwarded-packet.ts";
import { Watch } from "./watch.ts";

export interface WatchesParts {
  readonly director: Director;
  readonly network: HostNetwork;
  readonly clock: Clock;
  readonly offload: FlowOffload | undefined;
  /** Sets what the packet path shows packets to; undefined: nothing. */
  readonly tap: (tap: PacketTap | undefined) => void;
}

export class Watches implements PacketTap, Disposable {
  readonly #parts: WatchesParts;
  readonly #tracer: PacketTracer;
  readonly #watches = new Set<Watch>();
  readonly #wanting: Watch[] = [];
  #forwarded: Disposable | undefined;
  /** What the clock's beginning is in milliseconds since 1970. */
  #epochMs = 0;

  constructor(parts: WatchesParts) {
    this.#parts = parts;
    this.#tracer = new PacketTracer(parts.director, (index) => this.#nameOf(index));
  }

  /** Throws a SystemCallError when what is forwarded without the director cannot be watched. */
  open(options: TraceOptions): PacketWatch {
    const watch = new Watch(options, this.#parts.clock, () => this.#close(watch));
    this.#watches.add(watch);
    try {
      this.#follow();
    } catch (error) {
      this.#close(watch);
      throw error;
    }
    return watch;
  }

  arrived(packet: Packet, arrival: number): void {
    this.#wanting.length = 0;
    for (const watch of this.#watches) if (watch.mayWant(packet)) this.#wanting.push(watch);
    const { director } = this.#parts;
    director.witness = this.#wanting.length > 0 ? this.#tracer : undefined;
    if (this.#wanting.length > 0) this.#tracer.arrived(packet, arrival);
  }

  decided(outcome: Outcome): void {
    if (this.#wanting.length === 0) return;
    const decided = this.#tracer.decided(outcome);
    const at = this.#epochMs + this.#parts.clock.now();
    for (const watch of this.#wanting) watch.tell(decided, at);
  }

  [Symbol.dispose](): void {
    for (const watch of this.#watches) watch.end();
    this.#watches.clear();
    this.#follow();
  }

  #close(watch: Watch): void {
    this.#watches.delete(watch);
    this.#follow();
  }

  /** Watches packets as long as somebody does. */
  #follow(): void {
    const { director, clock, offload, tap } = this.#parts;
    this.#forwarded?.[Symbol.dispose]();
    this.#forwarded = undefined;
    this.#wanting.length = 0;
    director.witness = undefined;
    if (this.#watches.size === 0) {
      tap(undefined);
      return;
    }
    this.#epochMs = Date.now() - clock.now();
    tap(this);
    this.#forwarded = offload?.watch({
      filters: [...this.#watches].map(({ options }) => options.filter),
      told: (packet) => {
        const decided = forwardedPacket(packet, director, (index) => this.#nameOf(index));
        for (const watch of this.#watches) {
          if (watch.mayLook()) watch.tell(decided, this.#epochMs + packet.at);
        }
      },
      missed: (count) => {
        for (const watch of this.#watches) watch.miss(count);
      },
    });
  }

  #nameOf(index: number): string | undefined {
    return this.#parts.network.links.get(index)?.name;
  }
}
