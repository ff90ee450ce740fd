/**
 * bpf(2) itself, for what libbpf has no word for, or would have to be loaded for: objects pinned in a BPF file system, links and
 * their programs. include/uapi/linux/bpf.h, union bpf_attr.
 */
import koffi from "koffi";
import { close, Memory, SystemCallError } from "../host/system/libc.ts";

const SYSTEM_CALLS = { arm64: 280, x64: 321 } as const;
/** __NR_bpf: asm-generic/unistd.h, and x86's own. */
export const BPF_SYSTEM_CALL = SYSTEM_CALLS[process.arch as keyof typeof SYSTEM_CALLS];

const COMMAND = {
  createMap: 0,
  look: 1,
  update: 2,
  pin: 6,
  get: 7,
  nextProgram: 11,
  programById: 13,
  information: 15,
  createLink: 28,
  updateLink: 29,
  detachLink: 34,
} as const;

const ATTRIBUTES_LENGTH = 64;
const BPF_MAP_TYPE_ARRAY = 2;
const PATH_MAX = 4096;
const INFORMATION_LENGTH = 64;
/** struct bpf_link_info of a tcx or XDP link; of one whose interface has gone the index is 0. Those of XDP have no direction. */
const linkAt = { type: 0, program: 8, interface: 16, direction: 20 } as const;
/** Of struct bpf_prog_info and of struct bpf_map_info. */
const ID_AT = 4;
/** struct bpf_prog_info: how many maps, and where their numbers are to be written. */
const programAt = { mapCount: 52, maps: 56 } as const;
/** Of a program that are asked for. */
const MAPS_MAX = 64;
/** In what calls are given, behind what they are told. */
const MAPS_AT = 1_024;
const ENOENT = "ENOENT";

/** Where a program runs at an interface, and what its link is then called. */
export interface HookPoint {
  readonly name: "ingress" | "egress" | "xdp" | "xdpgeneric";
  /** enum bpf_link_type. */
  readonly type: number;
  /** enum bpf_attach_type. */
  readonly attach: number;
  /** As the link tells it. */
  readonly direction: number;
  /** XDP_FLAGS_*. */
  readonly flags: number;
}

/** BPF_TCX_INGRESS and BPF_TCX_EGRESS, Linux 6.6; BPF_XDP by the driver, and before any protocol. */
// biome-ignore format: a table
export const HOOK_POINTS = {
  ingress: { name: "ingress",    type: 11, attach: 46, direction: 46, flags: 0 },
  egress:  { name: "egress",     type: 11, attach: 47, direction: 47, flags: 0 },
  native:  { name: "xdp",        type: 6,  attach: 37, direction: 0,  flags: 4 },
  generic: { name: "xdpgeneric", type: 6,  attach: 37, direction: 0,  flags: 2 },
} as const satisfies Readonly<Record<string, HookPoint>>;

const libc = koffi.load("libc.so.6");
const call = libc.func(
  "intptr_t syscall(int64_t number, int64_t command, const void *attributes, uint64_t length)",
);
const attributes = new Uint8Array(ATTRIBUTES_LENGTH);
const view = new DataView(attributes.buffer);
let given: Memory | undefined;

/** What a call's attributes point to. */
function memory(): Memory {
  given ??= Memory.allocate(PATH_MAX);
  return given;
}

function bpf(command: number, attempt: string, fill: () => void): number {
  attributes.fill(0);
  fill();
  const result = Number(call(BPF_SYSTEM_CALL, command, attributes, attributes.length));
  if (result < 0) throw new SystemCallError("bpf", koffi.errno(), attempt);
  return result;
}

function path(text: string): bigint {
  const { bytes, address } = memory();
  const length = Buffer.from(bytes.buffer).write(`${text}\0`, "utf8");
  if (length >= PATH_MAX) throw new RangeError(`${text}: the path is too long`);
  return BigInt(address);
}

/** Has a BPF file system lie at a folder. Throws a SystemCallError. */
export function mountPins(at: string): void {
  const mount = libc.func(
    "int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)",
  );
  if (mount("bpf", at, "bpf", 0, "mode=0700") === 0) return;
  throw new SystemCallError("mount", koffi.errno(), `mount a BPF file system at ${at}`);
}

/** Has it lie there no more. Throws a SystemCallError: EBUSY while somebody uses it, EPERM where the process may not. */
export function unmountPins(at: string): void {
  const unmount = libc.func("int umount2(const char *target, int flags)");
  if (unmount(at, 0) === 0) return;
  throw new SystemCallError("umount2", koffi.errno(), `unmount the BPF file system at ${at}`);
}

/** Has a file of a BPF file system stand for a map, program or link. Throws a SystemCallError. */
export function pin(fd: number, at: string): void {
  bpf(COMMAND.pin, `keep ${at}`, () => {
    view.setBigUint64(0, path(at), true);
    view.setUint32(8, fd, true);
  });
}

/** A descriptor of what is pinned there, the caller's to close. Throws a SystemCallError. */
export function getPinned(at: string): number {
  return bpf(COMMAND.get, `go on with ${at}`, () => view.setBigUint64(0, path(at), true));
}

function information(fd: number, ask: (given: DataView) => void = () => {}): DataView {
  const { bytes, address, view: read } = memory();
  bytes.fill(0, 0, INFORMATION_LENGTH);
  ask(read);
  bpf(COMMAND.information, "look at a BPF object", () => {
    view.setUint32(0, fd, true);
    view.setUint32(4, INFORMATION_LENGTH, true);
    view.setBigUint64(8, BigInt(address), true);
  });
  return read;
}

/** The number that the kernel has for a program. */
export function programId(fd: number): number {
  return information(fd).getUint32(ID_AT, true);
}

/** Whether there is a program, whoever loaded it, that uses a map. Throws a SystemCallError: EPERM without CAP_SYS_ADMIN. */
export function hasUser(map: number): boolean {
  const id = information(map).getUint32(ID_AT, true);
  for (let program = 0; ; ) {
    try {
      bpf(COMMAND.nextProgram, "look for BPF programs", () => view.setUint32(0, program, true));
      // What follows is told in its place.
      program = view.getUint32(4, true);
      if (mapsOf(program).includes(id)) return true;
    } catch (error) {
      if (!(error instanceof SystemCallError) || error.code !== ENOENT) throw error;
      return false;
    }
  }
}

/** The numbers of a program's maps; none of one that has gone. */
function mapsOf(program: number): number[] {
  let fd: number;
  try {
    fd = bpf(COMMAND.programById, "look at a BPF program", () => view.setUint32(0, program, true));
  } catch (error) {
    if (error instanceof SystemCallError && error.code === ENOENT) return [];
    throw error;
  }
  try {
    const maps = BigInt(memory().address + MAPS_AT);
    const read = information(fd, (given) => {
      given.setUint32(programAt.mapCount, MAPS_MAX, true);
      given.setBigUint64(programAt.maps, maps, true);
    });
    const count = Math.min(read.getUint32(programAt.mapCount, true), MAPS_MAX);
    return Array.from({ length: count }, (_, index) => read.getUint32(MAPS_AT + 4 * index, true));
  } finally {
    close(fd);
  }
}

export interface MapInformation {
  readonly type: number;
  readonly keyLength: number;
  readonly valueLength: number;
  readonly entries: number;
  /** BPF_F_… */
  readonly flags: number;
}

/** struct bpf_map_info. */
export function mapInformation(fd: number): MapInformation {
  const read = information(fd);
  return {
    type: read.getUint32(0, true),
    keyLength: read.getUint32(8, true),
    valueLength: read.getUint32(12, true),
    entries: read.getUint32(16, true),
    flags: read.getUint32(20, true),
  };
}

export interface LinkInformation {
  readonly type: number;
  readonly program: number;
  /** 0: its interface has gone. */
  readonly interfaceIndex: number;
  readonly direction: number;
}

export function linkInformation(fd: number): LinkInformation {
  const read = information(fd);
  return {
    type: read.getUint32(linkAt.type, true),
    program: read.getUint32(linkAt.program, true),
    interfaceIndex: read.getUint32(linkAt.interface, true),
    direction: read.getUint32(linkAt.direction, true),
  };
}

/** Has a program run at an interface as long as somebody has the link. Throws a SystemCallError: EINVAL without tcx. */
export function createLink(
  program: number,
  interfaceIndex: number,
  { attach, flags }: HookPoint,
  attempt: string,
): number {
  return bpf(COMMAND.createLink, attempt, () => {
    view.setUint32(0, program, true);
    view.setUint32(4, interfaceIndex, true);
    view.setUint32(8, attach, true);
    view.setUint32(12, flags, true);
  });
}

/** Its program runs nowhere from now on, whoever else has the link. Throws a SystemCallError. */
export function detachLink(link: number): void {
  bpf(COMMAND.detachLink, "take a program from an interface", () => view.setUint32(0, link, true));
}

/** From the next packet on another program runs there. Throws a SystemCallError. */
export function updateLink(link: number, program: number): void {
  bpf(COMMAND.updateLink, "have another program run at an interface", () => {
    view.setUint32(0, link, true);
    view.setUint32(4, program, true);
  });
}

/** A map of one value of so many bytes, which no program reads. Throws a SystemCallError. */
export function createNote(length: number): number {
  return bpf(COMMAND.createMap, "keep a note beside the BPF programs", () => {
    view.setUint32(0, BPF_MAP_TYPE_ARRAY, true);
    view.setUint32(4, Uint32Array.BYTES_PER_ELEMENT, true);
    view.setUint32(8, length, true);
    view.setUint32(12, 1, true);
  });
}

const KEY_LENGTH = 8;

/** Copies a note of at most a page from or to `bytes`. */
function exchange(command: number, fd: number, bytes: Uint8Array): void {
  const { address, bytes: given } = memory();
  if (bytes.length > PATH_MAX - KEY_LENGTH) throw new RangeError("Cannot note so much");
  given.fill(0, 0, KEY_LENGTH);
  given.set(bytes, KEY_LENGTH);
  bpf(command, "read or write a note beside the BPF programs", () => {
    view.setUint32(0, fd, true);
    view.setBigUint64(8, BigInt(address), true);
    view.setBigUint64(16, BigInt(address + KEY_LENGTH), true);
  });
  bytes.set(given.subarray(KEY_LENGTH, KEY_LENGTH + bytes.length));
}

export function writeNote(fd: number, bytes: Uint8Array): void {
  exchange(COMMAND.update, fd, bytes);
}

export function readNote(fd: number, into: Uint8Array): void {
  exchange(COMMAND.look, fd, into);
}
