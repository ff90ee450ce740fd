/** Servers' packets that are several connections' answers. */

import { readReplyFlow } from "../../src/engine/kernel/kernel-entries.ts";
import { isMasqueraded } from "../../src/engine/kernel/ownership.ts";
import {
  type ConnectionTable,
  NO_CONNECTION,
} from "../../src/ipvs/connections/connection-table.ts";
import { CONNECTION_FLAG, Flow } from "../../src/ipvs/connections/flow.ts";
import { NO_ARRIVAL, Packet } from "../../src/ipvs/packets/packet.ts";
import { flowOf } from "../../src/ipvs/tracking/ends-of.ts";

/**
 * Whether a packet is one: a client has called two services from one port, and got to the same port of the same server. No such
 * server could tell them apart; whose answer it is is not said, and the programs know it of fewer connections than the director.
 */
export function isSharedReply(packet: Uint8Array, table: ConnectionTable): boolean {
  const read = new Packet();
  if (read.moveTo(packet, 0, packet.length, NO_ARRIVAL) !== undefined) return false;
  const sent = JSON.stringify(flowOf(new Flow(), read));
  let count = 0;
  for (let id = table.nextId(NO_CONNECTION); id !== NO_CONNECTION; id = table.nextId(id)) {
    const isTemplate = (table.flags(id) & CONNECTION_FLAG.template) !== 0;
    if (isTemplate || !isMasqueraded(table, id)) continue;
    if (JSON.stringify(readReplyFlow(new Flow(), table, id)) === sent) count++;
  }
  return count > 1;
}
