/** Traced packets as a capture for Wireshark: their headers, as they came and as they left, with what became of them. */
import { closeSync, openSync, writeSync } from "node:fs";
import type { WireTracedPacket } from "../../api/messages.ts";
import {
  enhancedPacket,
  interfaceDescription,
  LINK_TYPE,
  sectionHeader,
} from "../../net/pcapng.ts";
import { lineOf } from "./line.ts";

/** Of a packet that was taken from the host's stack nobody knows by which it came. */
const UNKNOWN = "host";

export class CaptureFile implements Disposable {
  readonly #fd: number;
  /** In the order of their descriptions. */
  readonly #interfaces: string[] = [];

  /** Throws Node's own error when the file cannot be written. */
  constructor(path: string) {
    this.#fd = openSync(path, "w");
    this.#write(sectionHeader({ application: "sluice trace" }));
  }

  add(traced: WireTracedPacket): void {
    const { bytes, headers, sent, arrival } = traced;
    const comment = lineOf(traced);
    const timestamp = BigInt(traced.atMicroseconds);
    if (headers !== null) {
      this.#add({
        interface: this.#numberOf(arrival ?? UNKNOWN),
        timestamp,
        data: Buffer.from(headers, "base64"),
        originalLength: bytes,
        direction: "in",
        comment,
      });
    }
    if (sent === null || sent.headers === null) return;
    this.#add({
      interface: this.#numberOf(sent.interface ?? UNKNOWN),
      timestamp,
      data: Buffer.from(sent.headers, "base64"),
      originalLength: sent.bytes,
      direction: "out",
      comment,
    });
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #add(packet: Parameters<typeof enhancedPacket>[0]): void {
    this.#write(enhancedPacket(packet));
  }

  #numberOf(name: string): number {
    const known = this.#interfaces.indexOf(name);
    if (known >= 0) return known;
    this.#write(
      interfaceDescription({ linkType: LINK_TYPE.rawIp, name, resolution: "microseconds" }),
    );
    return this.#interfaces.push(name) - 1;
  }

  /** At once: whoever ends us by a signal has all that was seen. */
  #write(bytes: Uint8Array): void {
    writeSync(this.#fd, bytes);
  }
}
