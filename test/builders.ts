/** Things that many tests need, each with facts that matter to nobody unless a test names them. */

import type { Candidate, Request } from "../src/ipvs/schedulers/scheduler.ts";
import { Address } from "../src/net/address.ts";

/** A destination whose live numbers a test may change. */
export type TestCandidate = { -readonly [Fact in keyof Candidate]: Candidate[Fact] };

/** An address from its text: `address("10.0.0.1")`, `address("2001:db8::1")`. */
export function address(text: string): Address {
  const parsed = Address.parse(text);
  if (parsed === undefined)
    throw new RangeError(`Cannot read ${JSON.stringify(text)} as an address`);
  return parsed;
}

/** 10.0.0.1:80 of weight 1, idle. `lastWeight` follows `weight`. */
export function candidate(facts: Partial<Candidate> = {}): TestCandidate {
  return {
    address: address("10.0.0.1"),
    port: 80,
    weight: 1,
    lastWeight: facts.weight ?? 1,
    activeConnections: 0,
    inactiveConnections: 0,
    isOverloaded: false,
    isAvailable: true,
    ...facts,
  };
}

/**
 * Candidates by weight and active/inactive connections, with a `!` when overloaded: `candidates("w1 3/0, w2 1/5!")`.
 * Their addresses are 10.0.0.1, 10.0.0.2, ... in the order of the text, which is the list's.
 */
export function candidates(text: string): TestCandidate[] {
  return text.split(",").map((part, index) => {
    const match = /^w(\d+) (\d+)\/(\d+)(!?)$/.exec(part.trim());
    if (match === null) {
      throw new RangeError(`Cannot read ${JSON.stringify(part)} as a candidate: expected "w1 3/0"`);
    }
    const [, weight, active, inactive, overloaded] = match;
    return candidate({
      address: Address.inet(0x0a000001 + index),
      weight: Number(weight),
      activeConnections: Number(active),
      inactiveConnections: Number(inactive),
      isOverloaded: overloaded === "!",
    });
  });
}

/** What a test says of a packet that opens a connection. Addresses as text. */
export interface RequestFacts {
  readonly client?: string;
  readonly clientPort?: number;
  readonly destination?: string;
  readonly now?: number;
}

/** From 10.9.0.9:20000 to 10.1.0.100, at the beginning of time. */
export function request({
  client = "10.9.0.9",
  clientPort = 20_000,
  destination = "10.1.0.100",
  now = 0,
}: RequestFacts = {}): Request {
  return {
    clientFold: address(client).fold,
    clientPort,
    destinationFold: address(destination).fold,
    destinationText: destination,
    now,
  };
}
