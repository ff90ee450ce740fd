/** A TAP or TUN device (Documentation/networking/tuntap.rst): a network device of this namespace whose other end is this program. */
import { closeSync, constants, openSync } from "node:fs";
import koffi from "koffi";

const TUNSETIFF = 0x400454ca;
/** IFF_*: TUN has packets without an Ethernet header. */
const KIND = { tun: 0x0001, tap: 0x0002 } as const;
/** Frames as they are, without the driver's own header before them. */
const IFF_NO_PI = 0x1000;
/** struct ifreq: a name of up to 15 bytes, then what is asked of it. */
const IFREQ_LENGTH = 40;
const IFREQ_FLAGS_AT = 16;
/** No device here has a larger MTU than a frame's 64 KiB. */
const FRAME_LENGTH_MAX = 65_600;

const libc = koffi.load("libc.so.6");
const system = {
  ioctl: libc.func("int ioctl(int fd, unsigned long request, void *argument)"),
  read: libc.func("intptr_t read(int fd, void *into, size_t length)"),
  write: libc.func("intptr_t write(int fd, const void *bytes, size_t length)"),
};

export class NetworkDevice implements Disposable {
  readonly name: string;
  readonly #kind: keyof typeof KIND;
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(FRAME_LENGTH_MAX);

  /** Makes the device; it goes with this object, or with the process. */
  constructor(name: string, kind: keyof typeof KIND = "tap") {
    this.name = name;
    this.#kind = kind;
    this.#fd = openSync("/dev/net/tun", constants.O_RDWR | constants.O_NONBLOCK);
    const request = Buffer.alloc(IFREQ_LENGTH);
    request.write(name, "latin1");
    request.writeUInt16LE(KIND[kind] | IFF_NO_PI, IFREQ_FLAGS_AT);
    if (system.ioctl(this.#fd, TUNSETIFF, request) < 0) {
      throw new Error(`Cannot make the device ${name}: errno ${koffi.errno()}`);
    }
  }

  /** Has the frame arrive: packet sockets and the host's own stack have it before this returns (tun_rx_batched()). */
  send(frame: Uint8Array): void {
    if (system.write(this.#fd, frame, frame.length) !== frame.length) {
      throw new Error(`Cannot have a frame arrive at ${this.name}: errno ${koffi.errno()}`);
    }
  }

  /** The frames that left by the device since the last call, without the host's multicast. */
  received(): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (;;) {
      const length: number = system.read(this.#fd, this.#buffer, FRAME_LENGTH_MAX);
      if (length <= 0) return frames;
      // Multicast is the host's own chatter (IPv6's listener reports): every neighbour is known.
      const isMulticast = this.#kind === "tap" && (this.#buffer[0]! & 1) !== 0;
      if (!isMulticast) frames.push(Uint8Array.from(this.#buffer.subarray(0, length)));
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
