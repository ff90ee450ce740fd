/**
 * The C functions that the userspace engine calls, declared once; everything above speaks TypeScript.
 *
 * What happens at start and configuration throws a `SystemCallError`. What happens on the packet path returns -errno
 * instead, because there an error is expected trouble: it is counted, never thrown.
 */
import koffi, { type node } from "koffi";

/** A system call that the kernel refused, with what was tried. */
export class SystemCallError extends Error {
  override readonly name = "SystemCallError";
  readonly call: string;
  /** As errno(3) names it: "EPERM". */
  readonly code: string;

  constructor(call: string, errno: number, attempt: string) {
    const code = errnoName(errno);
    super(`Cannot ${attempt}: ${call}: ${code}`);
    this.call = call;
    this.code = code;
  }
}

const libc = koffi.load("libc.so.6");

/** What mmap(2) returns when it fails: (void *)-1. */
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;
const PROT_READ = 0x1;
const PROT_READ_WRITE = 0x1 | 0x2;
const MAP_SHARED = 0x01;
const MAP_PRIVATE_ANONYMOUS = 0x02 | 0x20;
const MSG_DONTWAIT = 0x40;
const CLONE_NEWNET = 0x4000_0000;
const SOL_SOCKET = 1;
const SO_ERROR = 4;

// biome-ignore format: a table
const c = {
  socket:     libc.func("int socket(int domain, int type, int protocol)"),
  bind:       libc.func("int bind(int fd, const void *address, uint32_t length)"),
  connect:    libc.func("int connect(int fd, const void *address, uint32_t length)"),
  setsockopt: libc.func("int setsockopt(int fd, int level, int name, const void *value, uint32_t length)"),
  getsockopt: libc.func("int getsockopt(int fd, int level, int name, void *value, void *length)"),
  mmap:       libc.func("uintptr_t mmap(uintptr_t address, size_t length, int protection, int flags, int fd, int64_t offset)"),
  munmap:     libc.func("int munmap(uintptr_t address, size_t length)"),
  send:       libc.func("intptr_t send(int fd, const void *bytes, size_t length, int flags)"),
  sendto:     libc.func("intptr_t sendto(int fd, const void *bytes, size_t length, int flags, const void *address, uint32_t addressLength)"),
  recv:       libc.func("intptr_t recv(int fd, void *bytes, size_t length, int flags)"),
  // Messages are given by address: they and what they point to lie in memory that does not move.
  sendmmsg:   libc.func("int sendmmsg(int fd, uintptr_t messages, uint32_t count, int flags)"),
  close:      libc.func("int close(int fd)"),
  flock:      libc.func("int flock(int fd, int operation)"),
  posix_fallocate: libc.func("int posix_fallocate(int fd, int64_t offset, int64_t length)"),
  unshare:    libc.func("int unshare(int flags)"),
  setns:      libc.func("int setns(int fd, int type)"),
  prctl:      libc.func("int prctl(int option, unsigned long what, unsigned long value, unsigned long none, unsigned long nothing)"),
  if_nametoindex: libc.func("uint32_t if_nametoindex(const char *name)"),
};

const ERRNO_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(koffi.os.errno).map(([name, value]) => [value, name]),
);

/** errno numbers that callers tell apart. */
export const errno = { EINTR: 4, EAGAIN: 11, ENOMEM: 12, ENOBUFS: 105 } as const;

export function errnoName(value: number): string {
  return ERRNO_NAMES.get(value) ?? `errno ${value}`;
}

const INTERRUPTIONS_MAX = 8;

/** Opens a socket that never blocks and is not inherited. `attempt` completes "Cannot ...". */
export function socket(domain: number, type: number, protocol: number, attempt: string): number {
  const SOCK_NONBLOCK_CLOEXEC = 0o4000 | 0o2000000;
  return checked("socket", c.socket(domain, type | SOCK_NONBLOCK_CLOEXEC, protocol), attempt);
}

export function bind(fd: number, address: Uint8Array, attempt: string): void {
  checked("bind", c.bind(fd, address, address.length), attempt);
}

/** For sockets without connections, where it only says who is meant: it never waits. */
export function connect(fd: number, address: Uint8Array, attempt: string): void {
  checked("connect", c.connect(fd, address, address.length), attempt);
}

/** Sets a socket option that is an int, or whatever struct the bytes are. */
export function setOption(
  fd: number,
  level: number,
  name: number,
  value: number | Uint8Array,
  attempt: string,
): void {
  const bytes = typeof value === "number" ? new Uint8Array(new Int32Array([value]).buffer) : value;
  checked("setsockopt", c.setsockopt(fd, level, name, bytes, bytes.length), attempt);
}

/** As setOption(), on a thread of Node's: for what takes the kernel long. Resolves to whether it was done. */
export function setOptionAside(
  fd: number,
  level: number,
  name: number,
  value: Uint8Array,
): Promise<boolean> {
  return new Promise((resolve) => {
    c.setsockopt.async(fd, level, name, value, value.length, (error: unknown, status: unknown) =>
      resolve(error === null && status === 0),
    );
  });
}

/** Reads a socket option into `value`, which must be as long as the kernel's struct; how many bytes that was. */
export function getOption(
  fd: number,
  level: number,
  name: number,
  value: Uint8Array,
  attempt: string,
): number {
  const length = new Uint32Array([value.length]);
  checked("getsockopt", c.getsockopt(fd, level, name, value, length), attempt);
  return length[0]!;
}

/** The number of bytes sent, or -errno. */
export function send(fd: number, bytes: Uint8Array): number {
  return result(c.send(fd, bytes, bytes.length, MSG_DONTWAIT));
}

/** The number of bytes sent to `address`, a struct sockaddr of its family, or -errno. */
export function sendTo(fd: number, bytes: Uint8Array, address: Uint8Array): number {
  return result(c.sendto(fd, bytes, bytes.length, MSG_DONTWAIT, address, address.length));
}

/** The number of bytes received, or -errno: -EAGAIN when nothing waits. */
export function receive(fd: number, into: Uint8Array): number {
  return result(c.recv(fd, into, into.length, MSG_DONTWAIT));
}

/** Does `call` again when a signal interrupted it, but not for ever. */
export function untilUninterrupted(call: () => number): number {
  let result = call();
  for (let tries = 1; result === -errno.EINTR && tries < INTERRUPTIONS_MAX; tries++)
    result = call();
  return result;
}

/** Sends `count` struct mmsghdr that lie at `address`: how many were sent, or -errno when the first was refused. */
export function sendMessages(fd: number, address: number, count: number): number {
  return result(c.sendmmsg(fd, address, count, MSG_DONTWAIT));
}

export function close(fd: number): void {
  c.close(fd);
}

/** Has the file system provide what is written there later: 0, or the errno of its refusal, such as ENOSPC. */
export function provide(fd: number, offset: number, length: number): number {
  return c.posix_fallocate(fd, offset, length);
}

/** Has the kernel give nobody else this file's lock as long as the descriptor is open: 0, or -errno; -EAGAIN is somebody's. */
export function lock(fd: number): number {
  const LOCK_EX_NB = 2 | 4;
  return result(c.flock(fd, LOCK_EX_NB));
}

/** Has programs that this thread runs from now on lack a capability, unless they are root's: 0, or -errno. */
export function withholdCapability(number: number): number {
  const [PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER] = [47, 3];
  return result(c.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, number, 0, 0));
}

/** The index of an interface of this network namespace. */
export function interfaceIndex(name: string): number {
  const index = c.if_nametoindex(name);
  if (index === 0) {
    throw new SystemCallError("if_nametoindex", koffi.errno(), `find interface ${name}`);
  }
  return index;
}

/** Gives this thread a network namespace of its own, which ends with the last that uses it. */
export function unshareNetwork(attempt: string): void {
  checked("unshare", c.unshare(CLONE_NEWNET), attempt);
}

/** Moves this thread into the network namespace that `fd` names. */
export function enterNetwork(fd: number, attempt: string): void {
  checked("setns", c.setns(fd, CLONE_NEWNET), attempt);
}

/** Memory outside of V8's heap: it has an address, which stays. */
export class Memory implements Disposable {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;

  private constructor(address: number, length: number) {
    const buffer = koffi.view(BigInt(address), length);
    this.address = address;
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  /** Fresh zeroed pages. */
  static allocate(length: number): Memory {
    return Memory.#map(length, MAP_PRIVATE_ANONYMOUS, -1, `allocate ${length} bytes`);
  }

  /** What the driver behind `fd` shares, such as a packet ring, or a file from `offset` on, a multiple of the page size. */
  static shared(fd: number, length: number, attempt: string, offset = 0): Memory {
    return Memory.#map(length, MAP_SHARED, fd, attempt, offset);
  }

  /** As shared(), of what only others may write. */
  static sharedToRead(fd: number, length: number, attempt: string, offset: number): Memory {
    return Memory.#map(length, MAP_SHARED, fd, attempt, offset, PROT_READ);
  }

  static #map(
    length: number,
    flags: number,
    fd: number,
    attempt: string,
    offset = 0,
    protection = PROT_READ_WRITE,
  ): Memory {
    const address: number | bigint = c.mmap(0, length, protection, flags, fd, offset);
    if (address === MAP_FAILED) throw new SystemCallError("mmap", koffi.errno(), attempt);
    return new Memory(Number(address), length);
  }

  /** Unmaps. Views are detached first, so that a late access reads undefined instead of killing the process. */
  [Symbol.dispose](): void {
    const { buffer, length } = this.bytes;
    if (length === 0) return;
    (buffer as ArrayBuffer).transfer();
    c.munmap(this.address, length);
  }
}

/**
 * Calls back as long as a socket has something to read. Holds the process open until it is disposed.
 *
 * A socket's error (an interface that went down, news that found no room) ends libuv's watch (uv__poll_io()): it is read,
 * which clears it, told, and the watch goes on.
 */
export class ReadableWatch implements Disposable {
  // koffi stops a handle that the garbage collector takes: whoever watches must keep this object.
  readonly #handle: node.PollHandle;
  #open = true;

  constructor(fd: number, onReadable: () => void, onError: (errno: number) => void = () => {}) {
    const turn = (status: number): void => {
      if (!this.#open) return;
      if (status >= 0) {
        onReadable();
        return;
      }
      const error = socketError(fd);
      this.#handle.start({ readable: true }, listener);
      onError(error);
    };
    // Its declaration knows the events alone; the status comes before them.
    const listener = turn as unknown as (events: node.PollEvents) => void;
    this.#handle = koffi.node.poll(fd, { readable: true }, listener);
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#handle.close();
  }
}

/** What is wrong with a socket, which then is right again; 0 when nothing is. */
function socketError(fd: number): number {
  const value = new Int32Array(1);
  const bytes = new Uint8Array(value.buffer);
  const length = new Uint32Array([bytes.length]);
  const returned = c.getsockopt(fd, SOL_SOCKET, SO_ERROR, bytes, length);
  return returned < 0 ? koffi.errno() : value[0]!;
}

function checked(call: string, returned: number, attempt: string): number {
  if (returned < 0) throw new SystemCallError(call, koffi.errno(), attempt);
  return returned;
}

function result(returned: number): number {
  return returned < 0 ? -koffi.errno() : returned;
}
