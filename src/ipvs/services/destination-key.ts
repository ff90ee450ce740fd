/**
 * What a service's server is known by in every process: its text as a number, by which connections that outlived a
 * process find their destination again.
 */
import { type DestinationPlan, formatEndpoint } from "../desired/service.ts";

/** 53 bits of a hash, so that a double holds it: two servers of 100,000 share one with a chance of 1 in a million. */
export function destinationKey(serviceText: string, { endpoint }: DestinationPlan): number {
  const text = `${serviceText} ${formatEndpoint(endpoint)}`;
  let low = 0x811c9dc5;
  let high = 0x2f0b4a27;
  for (let index = 0; index < text.length; index++) {
    const character = text.charCodeAt(index);
    low = Math.imul(low ^ character, 0x01000193);
    high = Math.imul((high ^ character) + (low >>> 15), 0x85ebca6b);
  }
  low ^= high >>> 13;
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}
