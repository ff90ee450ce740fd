/** The addresses and the mark that one case has for itself, in place of VIP, VIP6, CLIENT, CLIENT6 and MARK. */
import { Address } from "../../src/net/address.ts";

const VIP_BASE = 0x0a01_0000;
const CLIENT_BASE = 0x0a09_4000;
const MARK_BASE = 1000;

export class Place {
  readonly vip: Address;
  readonly vip6: Address;
  readonly client: Address;
  readonly client6: Address;
  readonly mark: number;

  constructor(index: number) {
    this.vip = Address.inet(VIP_BASE + index);
    this.vip6 = Address.inet6(0xfd01_0000, 0, 0, index);
    this.client = Address.inet(CLIENT_BASE + index);
    this.client6 = Address.inet6(0xfd09_0000, 0, 0x64, index);
    this.mark = MARK_BASE + index;
  }

  fill(text: string): string {
    return text
      .replaceAll("VIP6", this.vip6.toString())
      .replaceAll("VIP", this.vip.toString())
      .replaceAll("CLIENT6", this.client6.toString())
      .replaceAll("CLIENT", this.client.toString())
      .replaceAll("MARK", String(this.mark));
  }

  /** How the kernel's files in /proc name this place: hexadecimal, IPv6 in full. */
  get needles(): string[] {
    return [hex32(this.vip.w3), hexInet6(this.vip6), hex32(this.mark)];
  }

  owns(address: Address): boolean {
    return address.equals(this.vip) || address.equals(this.vip6);
  }
}

function hex32(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0").toUpperCase();
}

function hexInet6({ w0, w1, w2, w3 }: Address): string {
  const digits = [w0, w1, w2, w3]
    .map((word) => (word >>> 0).toString(16).padStart(8, "0"))
    .join("");
  return digits.match(/.{4}/g)!.join(":");
}
