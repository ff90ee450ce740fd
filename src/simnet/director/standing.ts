/**
 * The director where it stands on a host: behind the host's own checks, before its sockets, and at what the host
 * forwards and sends (the kernel's LOCAL_IN, FORWARD and LOCAL_OUT).
 */
import type { Instant } from "../../base/clock.ts";
import type { HashKey } from "../../ipvs/connections/flow-hash.ts";
import { type DesiredState, EMPTY_STATE } from "../../ipvs/desired/desired-state.ts";
import { Director } from "../../ipvs/director.ts";
import type { Outcome } from "../../ipvs/packets/outcome.ts";
import { type Hook, NO_ARRIVAL, Packet } from "../../ipvs/packets/packet.ts";
import type { Host } from "../host/host.ts";
import type { IncomingFrame } from "../ip/packets.ts";
import { type DirectorSnapshot, snapshotOf } from "./snapshot.ts";
import { ViewOfHost } from "./view-of-host.ts";

const CONNECTIONS_MAX = 16_384;
/** For a tunnel's headers. */
const HEADROOM = 64;
/** Connections that time ends in one turn. */
const BUDGET = 1_000;

export class Standing {
  readonly director: Director;
  readonly #host: Host;
  readonly #packet = new Packet();
  #desired: DesiredState = EMPTY_STATE;

  constructor(host: Host, hashKey: HashKey) {
    this.#host = host;
    this.director = new Director({
      host: new ViewOfHost(host),
      limit: CONNECTIONS_MAX,
      hashKey,
    });
  }

  get desired(): DesiredState {
    return this.#desired;
  }

  snapshot(now: Instant): DirectorSnapshot {
    return snapshotOf(this.director, now);
  }

  /** Throws LbError, and then nothing has changed. */
  apply(desired: DesiredState): undefined {
    this.catchUp();
    this.director.apply(desired);
    this.#desired = desired;
  }

  /** Does what time has brought since the last call, each at its time. */
  catchUp(): undefined {
    const now = this.#host.agenda.now();
    for (;;) {
      const due = this.director.nextDeadline();
      if (due > now) return;
      let isBusy = true;
      while (isBusy) isBusy = this.director.expire(due, BUDGET);
    }
  }

  localIn(bytes: Uint8Array, frame: IncomingFrame): Uint8Array | "taken" {
    return this.#receive("local-in", bytes, frame);
  }

  forward(bytes: Uint8Array, frame: IncomingFrame): Uint8Array | "taken" {
    return this.#receive("forward", bytes, frame);
  }

  localOut(bytes: Uint8Array): Uint8Array | "taken" {
    return this.#receive("local-out", bytes, undefined);
  }

  /** What is left to the host: the packet, perhaps rewritten; or it was taken. */
  #receive(hook: Hook, bytes: Uint8Array, frame: IncomingFrame | undefined): Uint8Array | "taken" {
    this.catchUp();
    const memory = new Uint8Array(HEADROOM + bytes.length);
    memory.set(bytes, HEADROOM);
    const arrival = {
      ...NO_ARRIVAL,
      hook,
      headroom: HEADROOM,
      interfaceIndex: frame?.interface.index ?? 0,
      isUnicast: frame?.isUnicast ?? true,
      mark: frame?.mark ?? 0,
    };
    const fault = this.#packet.moveTo(memory, HEADROOM, memory.length, arrival);
    if (fault !== undefined) return bytes;
    const outcome = this.director.receive(this.#packet, this.#host.agenda.now());
    const { notices } = outcome;
    const left = this.#carryOut(outcome, bytes, frame);
    for (const notice of notices) this.#host.inet.sendPacket(notice.slice());
    return left;
  }

  #carryOut(
    { verdict, reason, packet, parts, route }: Outcome,
    bytes: Uint8Array,
    frame: IncomingFrame | undefined,
  ): Uint8Array | "taken" {
    const whole = packet.bytes.slice(packet.start, packet.end);
    if (verdict === "pass") return whole;
    if (verdict === "forward" && route !== undefined) {
      const out = this.#host.interfaces.find(({ index }) => index === route.interfaceIndex);
      const told = { host: this.#host.name, interface: out?.name ?? "", frame: frame?.number };
      this.#host.world.journal.tell({ kind: "forwarded", ...told, bytes: whole, reason });
      for (const part of parts.length > 0 ? parts : [whole]) {
        const leaving = { bytes: part.slice(), frame: frame?.number, isOwn: false };
        // What the director sends on leaves as the host's own does: by OUTPUT, not by FORWARD.
        if (out === undefined || this.#host.inet.isRefusedOut(part, out)) continue;
        this.#host.neighbours.send(out, route.nextHop, leaving);
      }
      return "taken";
    }
    if (verdict === "drop" || verdict === "hold") {
      const leaving = { bytes, frame: frame?.number, isOwn: frame === undefined };
      this.#host.drop(leaving, frame?.interface, reason);
    }
    return "taken";
  }
}
