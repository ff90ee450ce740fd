/** The addresses and the marks that one case has for itself, in place of VIP, FAR, CLIENT, MARK and their like (case.ts). */
import { Address } from "../../src/net/address.ts";

/** The bit of those marks whose packets the kernel takes for its own, wherever they go. */
export const LOCAL_MARK_BIT = 0x1_0000;

const VIP_BASE = 0x0a01_0000;
const CLIENT_BASE = 0x0a09_4000;
const FAR_BASE = 0xac14_0000;
const MARK_BASE = LOCAL_MARK_BIT;
/** Without the bit. */
const MARK2_BASE = 0x2_0000;

export class Place {
  readonly vip: Address;
  readonly vip6: Address;
  readonly client: Address;
  readonly client6: Address;
  /** Addresses that are not the director's own. */
  readonly far: Address;
  readonly far6: Address;
  readonly mark: number;
  readonly mark2: number;

  constructor(index: number) {
    this.vip = Address.inet(VIP_BASE + index);
    this.vip6 = Address.inet6(0xfd01_0000, 0, 0, index);
    this.client = Address.inet(CLIENT_BASE + index);
    this.client6 = Address.inet6(0xfd09_0000, 0, 0x64, index);
    this.far = Address.inet(FAR_BASE + index);
    this.far6 = Address.inet6(0xfd20_0000, 0, 0, index);
    this.mark = MARK_BASE + index;
    this.mark2 = MARK2_BASE + index;
  }

  fill(text: string): string {
    return text
      .replaceAll("VIP6", this.vip6.toString())
      .replaceAll("VIP", this.vip.toString())
      .replaceAll("FAR6", this.far6.toString())
      .replaceAll("FAR", this.far.toString())
      .replaceAll("CLIENT6", this.client6.toString())
      .replaceAll("CLIENT", this.client.toString())
      .replaceAll("MARK2", String(this.mark2))
      .replaceAll("MARK", String(this.mark));
  }

  /** How the kernel's files in /proc name this place: hexadecimal, IPv6 in full. */
  get needles(): string[] {
    const addresses = [this.vip, this.far].map(({ w3 }) => hex32(w3));
    const marks = [this.mark, this.mark2];
    // A mark stands in an address's first word where a template has it.
    const marks6 = marks.map((mark) => Address.inet6(mark, 0, 0, 0));
    return [...addresses, ...marks.map(hex32), ...[this.vip6, this.far6, ...marks6].map(hexInet6)];
  }

  owns(address: Address): boolean {
    return [this.vip, this.vip6, this.far, this.far6].some((own) => own.equals(address));
  }

  ownsMark(mark: number): boolean {
    return mark === this.mark || mark === this.mark2;
  }

  /** Whether an address is what a mark's template has in place of a virtual one. */
  isMark(address: Address): boolean {
    const word = address.family === "inet" ? address.w3 : address.w0;
    return this.ownsMark(word) && address.fold === word;
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
