/** Datagrams to a unix socket, which Node has not: unix(7). Nothing is ever waited for. */
import { close, errno, sendTo, socket, untilUninterrupted } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;

/** struct sockaddr_un: a family of two bytes, and a path of so many, its zero included. */
const FAMILY_LENGTH = 2;
const PATH_LENGTH = 108;

/** The address that `name` is: a path, or an abstract name, which begins with "@". Undefined for what is neither. */
export function unixAddress(name: string): Uint8Array | undefined {
  if (!/^[/@]./s.test(name)) return undefined;
  const text = Buffer.from(name, "utf8");
  const isAbstract = name.startsWith("@");
  // An abstract name is as long as the address says; a path ends with a zero.
  const length = text.length + (isAbstract ? 0 : 1);
  if (length > PATH_LENGTH) return undefined;
  const address = new Uint8Array(FAMILY_LENGTH + length);
  new Uint16Array(address.buffer, 0, 1)[0] = AF_UNIX;
  address.set(text, FAMILY_LENGTH);
  if (isAbstract) address[FAMILY_LENGTH] = 0;
  return address;
}

export class UnixDatagrams implements Disposable {
  readonly #address: Uint8Array;
  readonly #fd: number;
  #isOpen = true;

  /** Throws a SystemCallError when there is no socket to be had. */
  constructor(address: Uint8Array, attempt: string) {
    this.#address = address;
    this.#fd = socket(AF_UNIX, SOCK_DGRAM, 0, attempt);
  }

  /** 0, or -errno: who receives may have gone, come back, or be too slow. */
  send(text: string): number {
    if (!this.#isOpen) return -errno.EAGAIN;
    const bytes = Buffer.from(text, "utf8");
    return Math.min(
      untilUninterrupted(() => sendTo(this.#fd, bytes, this.#address)),
      0,
    );
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    close(this.#fd);
  }
}
