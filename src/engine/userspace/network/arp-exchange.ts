/** ARP as the engine speaks it: questions out, facts in. RFC 826. */
import { Address } from "../../../net/address.ts";
import { ARP_OPERATION, type ArpView, emitArp } from "../../../net/arp.ts";
import { ETHERTYPE, emitEthernet } from "../../../net/ethernet.ts";
import { BROADCAST_MAC, readMac, ZERO_MAC } from "../../../net/mac-address.ts";

/** The frame that asks who has `target`: everybody, or only `mac` when it is known and to be confirmed (RFC 1122 2.3.2.1). */
export function arpQuestion(
  ownMac: Uint8Array,
  own: Address,
  target: Address,
  mac: Uint8Array | undefined,
): Uint8Array {
  const senderMac = readMac(ownMac, 0);
  const knownMac = mac && readMac(mac, 0);
  const payload = emitArp({
    operation: ARP_OPERATION.request,
    senderMac,
    sender: own,
    targetMac: knownMac ?? ZERO_MAC,
    target,
  });
  const destination = knownMac ?? BROADCAST_MAC;
  return emitEthernet({ destination, source: senderMac, etherType: ETHERTYPE.arp }, payload);
}

/** Whom an ARP message, question or answer, says something about; undefined for a probe, which has no address yet. */
export function arpSender(message: ArpView): Address | undefined {
  return message.senderWord === 0 ? undefined : Address.inet(message.senderWord);
}
