import { NO_CONNECTION } from "../connections/connection-table.ts";
import type { Route } from "../host.ts";
import { Packet } from "./packet.ts";
import type { Reason } from "./reasons.ts";

/**
 * What became of a packet. One object is reused for every packet: read it before the next.
 *
 * "forward": `packet`, as it now lies, goes out by `route`, or `parts` instead of it when there are any.
 * "pass": `packet`, as it now lies, belongs to the host's own stack. "drop" and "hold": nothing goes anywhere.
 * With any verdict, each of `notices` (ICMP messages) is to be sent as the host would send a packet of its own.
 */
export interface Outcome {
  readonly verdict: "forward" | "pass" | "drop" | "hold";
  readonly reason: Reason;
  /** The packet that was given, or what it completed when it was a fragment. */
  readonly packet: Packet;
  readonly route: Route | undefined;
  /** The connection that a forwarded packet belongs to; negative when it is not one of its own packets. */
  readonly connection: number;
  /** Whole IP packets with complete checksums, all for `route`. */
  readonly parts: readonly Uint8Array[];
  /** Whole IP packets, to be routed by their destination. */
  readonly notices: readonly Uint8Array[];
  /** `packet`, which is as it came, tells the host's own stack something, too: a path's MTU. */
  readonly teachesHost: boolean;
}

const NONE: readonly Uint8Array[] = [];

/** The director's own hand on an outcome. */
export class OutcomeSlot implements Outcome {
  verdict: Outcome["verdict"] = "pass";
  reason: Reason = "pass-no-services";
  packet = new Packet();
  route: Route | undefined;
  connection = NO_CONNECTION;
  parts = NONE;
  notices = NONE;
  teachesHost = false;

  forward(reason: Reason, route: Route): this {
    return this.#set("forward", reason, route);
  }

  pass(reason: Reason): this {
    return this.#set("pass", reason, undefined);
  }

  drop(reason: Reason): this {
    return this.#set("drop", reason, undefined);
  }

  /** Nothing of the packet goes on itself: what there is to tell is told by notices. */
  replace(reason: Reason): this {
    return this.#set("drop", reason, undefined);
  }

  hold(reason: Reason): this {
    return this.#set("hold", reason, undefined);
  }

  /** Adds an ICMP message to what was decided; undefined adds nothing. */
  withNotice(packet: Uint8Array | undefined): this {
    if (packet !== undefined) this.notices = [packet];
    return this;
  }

  withParts(parts: readonly Uint8Array[]): this {
    this.parts = parts;
    return this;
  }

  /** Names the connection that the forwarded packet is one of. */
  of(connection: number): this {
    if (this.verdict === "forward") this.connection = connection;
    return this;
  }

  #set(verdict: Outcome["verdict"], reason: Reason, route: Route | undefined): this {
    this.verdict = verdict;
    this.reason = reason;
    this.route = route;
    this.connection = NO_CONNECTION;
    this.parts = NONE;
    this.notices = NONE;
    this.teachesHost = false;
    return this;
  }
}
