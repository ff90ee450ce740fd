/** What a connection is opened by: a client's packet, or one that was never seen but answered. */
import { Address } from "../../net/address.ts";
import type { IpVersion } from "../../net/ip-family.ts";
import type { Flow } from "../connections/flow.ts";

/** Where a packet comes from, in numbers, as Packet has them. */
export interface Origin {
  readonly protocol: number;
  readonly source0: number;
  readonly source1: number;
  readonly source2: number;
  readonly source3: number;
  readonly sourcePort: number;
  readonly source: Address;
}

/** Where a packet is going. */
export interface Target {
  readonly family: IpVersion;
  readonly protocol: number;
  readonly destination0: number;
  readonly destination1: number;
  readonly destination2: number;
  readonly destination3: number;
  readonly destinationPort: number;
  readonly mark: number;
}

/** A client's packet: the client is its source. */
export interface Opening extends Origin, Target {
  readonly destination: Address;
}

/**
 * The client's packet that would have been answered by the one that an ICMP error quotes, or that a server sends unasked.
 * One object is reused.
 */
export class AnsweredOpening implements Opening {
  family: IpVersion = 4;
  protocol = 0;
  source0 = 0;
  source1 = 0;
  source2 = 0;
  source3 = 0;
  sourcePort = 0;
  destination0 = 0;
  destination1 = 0;
  destination2 = 0;
  destination3 = 0;
  destinationPort = 0;
  mark = 0;

  /** `mark` is that of the packet that came. */
  fill(flow: Flow, mark: number): this {
    this.family = flow.family;
    this.protocol = flow.protocol;
    this.source0 = flow.client0;
    this.source1 = flow.client1;
    this.source2 = flow.client2;
    this.source3 = flow.client3;
    this.sourcePort = flow.clientPort;
    this.destination0 = flow.virtual0;
    this.destination1 = flow.virtual1;
    this.destination2 = flow.virtual2;
    this.destination3 = flow.virtual3;
    this.destinationPort = flow.virtualPort;
    this.mark = mark;
    return this;
  }

  get source(): Address {
    return this.family === 4
      ? Address.inet(this.source3)
      : Address.inet6(this.source0, this.source1, this.source2, this.source3);
  }

  get destination(): Address {
    return this.family === 4
      ? Address.inet(this.destination3)
      : Address.inet6(this.destination0, this.destination1, this.destination2, this.destination3);
  }
}
