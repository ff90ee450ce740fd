/** What the host says about a packet whose next hop did not answer: arp_error_report(), ipv4_link_failure(). */
import { isAnswerable, notice } from "../../ipvs/forward/notices.ts";
import type { Host } from "../../ipvs/host.ts";
import { NO_ARRIVAL, Packet } from "../../ipvs/packets/packet.ts";

const packet = new Packet();

/** The message to the packet's source; undefined when it cannot, or may not, be told. */
export function hostUnreachable(bytes: Uint8Array, host: Host): Uint8Array | undefined {
  if (packet.moveTo(bytes, 0, bytes.length, NO_ARRIVAL) !== undefined) return undefined;
  if (!isAnswerable(packet)) return undefined;
  const back = host.route(packet.source);
  if (back === "unreachable") return undefined;
  // A tunnel's packet is the host's own, and so is its sender.
  const source = back === "local" ? packet.source : back.source;
  if (!host.mayTell(packet.source, "host-unreachable")) return undefined;
  return notice(packet, source, { kind: "host-unreachable" });
}
