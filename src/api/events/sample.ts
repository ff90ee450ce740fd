/** Some of the connection table's entries, each as likely as the other: reservoir sampling (Vitter's algorithm R). */
import type { WireConnection } from "../../control/wire.ts";
import { connectionToWire } from "../../control/wire.ts";
import type { ConnectionStatus, Engine } from "../../engine/engine.ts";

export interface ConnectionSample {
  /** How many entries there are. */
  readonly of: number;
  readonly sample: readonly WireConnection[];
}

export async function sampleOf(
  engine: Engine,
  size: number,
  chance: () => number = Math.random,
): Promise<ConnectionSample> {
  const chosen: ConnectionStatus[] = [];
  let count = 0;
  for await (const connection of engine.connections()) {
    count++;
    if (chosen.length < size) {
      chosen.push(connection);
      continue;
    }
    const place = Math.floor(chance() * count);
    if (place < size) chosen[place] = connection;
  }
  return { of: count, sample: chosen.map(connectionToWire) };
}
