/** Tells neighbours where VIPs are: some messages at once, as many once more, and then one from time to time. */
import type { Announcing } from "../../../ipvs/desired/vip.ts";
import type { Address } from "../../../net/address.ts";
import { announcementFrame } from "../../../net/announcement.ts";
import { ETHERTYPE_OF } from "../../../net/ethernet.ts";
import { close, errnoName, SystemCallError, sendTo, socket } from "../system/libc.ts";
import type { HostLink } from "./host-addresses.ts";
import { isRouter } from "./host-addresses.ts";

const AF_PACKET = 17;
const SOCK_RAW = 3;

export interface Announced {
  readonly address: Address;
  readonly link: HostLink;
  readonly announcing: Announcing;
}

interface Running {
  readonly announced: Announced;
  timer: NodeJS.Timeout | undefined;
  lastAt: Date | undefined;
}

export class Announcer implements Disposable {
  readonly #onTrouble: (name: string, error: unknown) => void;
  readonly #running = new Map<string, Running>();
  #fd: number | undefined;

  /** `onTrouble`: nobody could be told; `name` is the kind of it. */
  constructor(onTrouble: (name: string, error: unknown) => void) {
    this.#onTrouble = onTrouble;
  }

  /** Begins anew where the address is announced already. */
  begin(announced: Announced): void {
    const text = announced.address.toString();
    this.end(text);
    const running: Running = { announced, timer: undefined, lastAt: undefined };
    this.#running.set(text, running);
    const { count, againMs, refreshMs } = announced.announcing;
    void this.#send(running, count);
    if (againMs === 0) this.#refreshLater(running);
    else {
      this.#later(running, againMs, () => {
        void this.#send(running, count);
        if (refreshMs > 0) this.#refreshLater(running);
      });
    }
  }

  end(text: string): void {
    clearTimeout(this.#running.get(text)?.timer);
    this.#running.delete(text);
  }

  lastAt(text: string): Date | undefined {
    return this.#running.get(text)?.lastAt;
  }

  [Symbol.dispose](): void {
    for (const text of this.#running.keys()) this.end(text);
    if (this.#fd !== undefined) close(this.#fd);
    this.#fd = undefined;
  }

  #refreshLater(running: Running): void {
    const { refreshMs } = running.announced.announcing;
    if (refreshMs === 0) return;
    this.#later(running, refreshMs, () => {
      void this.#send(running, 1);
      this.#refreshLater(running);
    });
  }

  #later(running: Running, ms: number, work: () => void): void {
    running.timer = setTimeout(work, ms).unref();
  }

  /** What cannot be sent is told, and tried again when the next is due. */
  async #send(running: Running, count: number): Promise<void> {
    const { address, link } = running.announced;
    const { mac, index, name } = link;
    if (mac === undefined) return;
    const frame = announcementFrame(
      mac,
      address,
      address.family === "inet6" && (await isRouter(name)),
    );
    if (this.#running.get(address.toString()) !== running) return;
    const attempt = `tell neighbours on ${name} where ${address.toString()} is`;
    try {
      this.#fd ??= socket(AF_PACKET, SOCK_RAW, 0, attempt);
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      this.#onTrouble(`announce-${error.code}`, error);
      return;
    }
    const to = linkAddress(index, ETHERTYPE_OF[address.family]);
    for (let sent = 0; sent < count; sent++) {
      const result = sendTo(this.#fd, frame, to);
      if (result < 0) {
        const error = new SystemCallError("sendto", -result, attempt);
        this.#onTrouble(`announce-${errnoName(-result)}`, error);
        return;
      }
    }
    running.lastAt = new Date();
  }
}

/** struct sockaddr_ll. */
function linkAddress(interfaceIndex: number, protocol: number): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, protocol);
  view.setInt32(4, interfaceIndex, true);
  return bytes;
}
