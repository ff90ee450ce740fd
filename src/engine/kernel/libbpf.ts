/**
 * libbpf, as far as it is needed: an object is opened, loaded, and its maps and programs found. What the library has no
 * word for (links of tcx programs, in Debian 12's) are bpf(2)'s own calls.
 */
import koffi, { type LibraryHandle } from "koffi";
import { close, errnoName, Memory, SystemCallError } from "../host/system/libc.ts";
import { BPF_SYSTEM_CALL, createLink, type HookPoint, mapInformation } from "./bpf-call.ts";

/** A BPF object that cannot be loaded, with the kernel's words. */
export class BpfError extends Error {
  override readonly name = "BpfError";
}

const LIBRARY = "libbpf.so.1";
const BPF_PROG_TEST_RUN = 10;
const TEST_RUN_LENGTH = 80;
// biome-ignore format: a table
const testRunAt = {
  program: 0, result: 4, lengthIn: 8, lengthOut: 12, in: 16, out: 24, repeat: 32, duration: 36, flags: 64,
} as const;
const BPF_F_TEST_XDP_LIVE_FRAMES = 2;
const XDP_PASS = 2;

/** struct bpf_object_open_opts of libbpf 1.1. */
const OPEN_OPTIONS_LENGTH = 80;
const openOptionsAt = { size: 0, logBuffer: 56, logLength: 64 } as const;
const LOG_LENGTH = 0x100_0000;

function bind() {
  let library: LibraryHandle;
  try {
    library = koffi.load(LIBRARY);
  } catch {
    throw new BpfError(
      `Cannot load ${LIBRARY}: install libbpf (Debian: apt-get install libbpf1), or use the userspace engine`,
    );
  }
  const libc = koffi.load("libc.so.6");
  // biome-ignore format: a table
  return {
    silence:  library.func("void *libbpf_set_print(void *print)"),
    open:     library.func("uintptr_t bpf_object__open_mem(const void *bytes, size_t length, uintptr_t options)"),
    load:     library.func("int bpf_object__load(uintptr_t object)"),
    close:    library.func("void bpf_object__close(uintptr_t object)"),
    findMap:  library.func("uintptr_t bpf_object__find_map_by_name(uintptr_t object, const char *name)"),
    nextMap:  library.func("uintptr_t bpf_object__next_map(uintptr_t object, uintptr_t map)"),
    mapName:  library.func("const char *bpf_map__name(uintptr_t map)"),
    mapType:  library.func("int bpf_map__type(uintptr_t map)"),
    keySize:  library.func("uint32_t bpf_map__key_size(uintptr_t map)"),
    valueSize: library.func("uint32_t bpf_map__value_size(uintptr_t map)"),
    reuseMap: library.func("int bpf_map__reuse_fd(uintptr_t map, int fd)"),
    nextProgram: library.func("uintptr_t bpf_object__next_program(uintptr_t object, uintptr_t program)"),
    programName: library.func("const char *bpf_program__name(uintptr_t program)"),
    setEntries: library.func("int bpf_map__set_max_entries(uintptr_t map, uint32_t entries)"),
    mapFd:    library.func("int bpf_map__fd(uintptr_t map)"),
    findProgram: library.func("uintptr_t bpf_object__find_program_by_name(uintptr_t object, const char *name)"),
    programFd: library.func("int bpf_program__fd(uintptr_t program)"),
    update:   library.func("int bpf_map_update_elem(int fd, const void *key, const void *value, uint64_t flags)"),
    lookup:   library.func("int bpf_map_lookup_elem(int fd, const void *key, void *value)"),
    remove:   library.func("int bpf_map_delete_elem(int fd, const void *key)"),
    pop:      library.func("int bpf_map_lookup_and_delete_elem(int fd, const void *key, void *value)"),
    lookupBatch: library.func("int bpf_map_lookup_batch(int fd, const void *from, void *to, void *keys, void *values, uint32_t *count, const void *options)"),
    possibleCpus: library.func("int libbpf_num_possible_cpus()"),
    bpf:      libc.func("intptr_t syscall(int64_t number, int64_t command, const void *attributes, uint64_t length)"),
  };
}

let bound: ReturnType<typeof bind> | undefined;

function libbpf(): ReturnType<typeof bind> {
  if (bound === undefined) {
    bound = bind();
    // Its words would go to standard error; the kernel's own are asked for when something is refused.
    bound.silence(null);
  }
  return bound;
}

/** How many processors' values a per-CPU map has. */
export function possibleCpus(): number {
  return libbpf().possibleCpus();
}

/** Maps and programs in the kernel, by their names: descriptors, which are whose this is. */
export interface BpfParts extends Disposable {
  /** Those of programs' own variables, whose names have a dot, may be missing. */
  mapNames(): readonly string[];
  map(name: string): number;
  program(name: string): number;
}

export class BpfObject implements BpfParts {
  readonly #object: number;
  #isOpen = true;

  /**
   * Loads an object's maps and programs. `entries`: how many a map holds, by its name; `used`: maps that are there already,
   * by the names of those whose places they take, if the object has them. Throws a BpfError.
   */
  constructor(
    bytes: Uint8Array,
    entries: Readonly<Record<string, number>>,
    used: Readonly<Record<string, number>> = {},
  ) {
    const library = libbpf();
    using log = Memory.allocate(LOG_LENGTH);
    using options = Memory.allocate(OPEN_OPTIONS_LENGTH);
    options.view.setBigUint64(openOptionsAt.size, BigInt(OPEN_OPTIONS_LENGTH), true);
    options.view.setBigUint64(openOptionsAt.logBuffer, BigInt(log.address), true);
    options.view.setBigUint64(openOptionsAt.logLength, BigInt(LOG_LENGTH), true);
    const object = Number(library.open(bytes, bytes.length, options.address));
    if (object === 0) throw new BpfError(`Cannot read the BPF object: ${lastError()}`);
    this.#object = object;
    for (const [name, count] of Object.entries(entries)) {
      library.setEntries(library.findMap(object, name), count);
    }
    using unless = new DisposableStack();
    unless.defer(() => library.close(object));
    for (const [name, fd] of Object.entries(used)) {
      if (library.findMap(object, name) !== 0) reuse(object, name, fd);
    }
    const result: number = library.load(object);
    if (result < 0) {
      throw new BpfError(`Cannot load the BPF programs: ${errnoName(-result)}${lastLines(log)}`);
    }
    unless.move();
  }

  /** The map's descriptor, which is the object's. */
  map(name: string): number {
    return libbpf().mapFd(libbpf().findMap(this.#object, name));
  }

  mapNames(): string[] {
    const { nextMap, mapName } = libbpf();
    const names: string[] = [];
    for (let map = nextMap(this.#object, 0); map; map = nextMap(this.#object, map)) {
      names.push(mapName(map));
    }
    return names;
  }

  programNames(): string[] {
    const { nextProgram, programName } = libbpf();
    const names: string[] = [];
    for (let each = nextProgram(this.#object, 0); each; each = nextProgram(this.#object, each)) {
      names.push(programName(each));
    }
    return names;
  }

  program(name: string): number {
    return libbpf().programFd(libbpf().findProgram(this.#object, name));
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    libbpf().close(this.#object);
  }
}

/** Has a map that is there be the object's of that name. */
function reuse(object: number, name: string, fd: number): void {
  const map = libbpf().findMap(object, name);
  if (!isLikeIt(map, fd)) {
    throw new BpfError(`Cannot go on with the map ${name}: it is laid out otherwise`);
  }
  const result: number = libbpf().reuseMap(map, fd);
  if (result < 0) throw new BpfError(`Cannot go on with the map ${name}: ${errnoName(-result)}`);
}

/** Whether a map that is there is what an object asks for. */
function isLikeIt(map: number, fd: number): boolean {
  const { mapType, keySize, valueSize } = libbpf();
  const { type, keyLength, valueLength } = mapInformation(fd);
  if (map === 0) return false;
  return type === mapType(map) && keyLength === keySize(map) && valueLength === valueSize(map);
}

/** 0, or -errno: -E2BIG when the map is full. */
export function updateElement(map: number, key: Uint8Array, value: Uint8Array): number {
  return libbpf().update(map, key, value, 0);
}

/** 0 with the value in `into`, or -errno: -ENOENT when there is none. */
export function lookUpElement(map: number, key: Uint8Array, into: Uint8Array): number {
  return libbpf().lookup(map, key, into);
}

export function deleteElement(map: number, key: Uint8Array): number {
  return libbpf().remove(map, key);
}

/** Takes what was put into a queue first: 0 with it in `into`, or -errno: -ENOENT when there is nothing. */
export function popElement(queue: number, into: Uint8Array): number {
  return libbpf().pop(queue, null, into);
}

/** How many elements a batch is asked for. */
const BATCH = 1_024;
const ENOSPC = 28;

/**
 * All that a hash map holds, some at a time; what comes or goes meanwhile may be missed. `key` and `value` are good until the
 * next.
 */
export function* elementsOf(
  map: number,
  keyLength: number,
  valueLength: number,
): Generator<{ readonly key: Uint8Array; readonly value: Uint8Array }> {
  let size = BATCH;
  let from: Uint8Array | null = null;
  for (;;) {
    const keys = new Uint8Array(size * keyLength);
    const values = new Uint8Array(size * valueLength);
    const to = new Uint8Array(4);
    const count = Uint32Array.of(size);
    const result: number = libbpf().lookupBatch(map, from, to, keys, values, count, null);
    // A bucket that has more.
    if (result === -ENOSPC) {
      size *= 2;
      continue;
    }
    for (let index = 0; index < count[0]!; index++) {
      yield {
        key: keys.subarray(index * keyLength, (index + 1) * keyLength),
        value: values.subarray(index * valueLength, (index + 1) * valueLength),
      };
    }
    if (result < 0) return;
    from = to;
  }
}

/** Runs a program at an interface until it is disposed of, or the process ends. */
export class ProgramLink implements Disposable {
  readonly #fd: number;

  /** Throws a SystemCallError: EINVAL where the kernel has no tcx (before 6.6). */
  constructor(program: number, interfaceIndex: number, point: HookPoint, attempt: string) {
    this.#fd = createLink(program, interfaceIndex, point, attempt);
  }

  [Symbol.dispose](): void {
    close(this.#fd);
  }
}

/** Memory in which a program of the daemon's own finds a question, and leaves the answer. */
export class Question implements Disposable {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly #memory: Memory;
  readonly #attributes = new Uint8Array(TEST_RUN_LENGTH);
  readonly #attributesView = new DataView(this.#attributes.buffer);

  constructor(length: number) {
    this.#memory = Memory.allocate(length);
    this.bytes = this.#memory.bytes;
    this.view = this.#memory.view;
    const view = this.#attributesView;
    view.setUint32(testRunAt.lengthIn, length, true);
    view.setBigUint64(testRunAt.in, BigInt(this.#memory.address), true);
    view.setBigUint64(testRunAt.out, BigInt(this.#memory.address), true);
  }

  /** Has an XDP program answer. False when it cannot. Throws a SystemCallError when it is not run at all. */
  ask(program: number): boolean {
    const view = this.#attributesView;
    view.setUint32(testRunAt.program, program, true);
    view.setUint32(testRunAt.lengthOut, this.bytes.length, true);
    const done = libbpf().bpf(
      BPF_SYSTEM_CALL,
      BPF_PROG_TEST_RUN,
      this.#attributes,
      TEST_RUN_LENGTH,
    );
    if (Number(done) < 0) throw new SystemCallError("bpf", koffi.errno(), "run a BPF program");
    return view.getUint32(testRunAt.result, true) === XDP_PASS;
  }

  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
  }
}

/** Memory that frames are handed to a program in, and got back. */
export class TestRun implements Disposable {
  readonly #in: Memory;
  readonly #out: Memory;
  readonly #attributes = new Uint8Array(TEST_RUN_LENGTH);
  readonly #view = new DataView(this.#attributes.buffer);

  /** For frames of up to `lengthMax` bytes. */
  constructor(lengthMax: number) {
    this.#in = Memory.allocate(lengthMax);
    this.#out = Memory.allocate(lengthMax);
  }

  /**
   * What a tc program makes of a frame that the loopback interface received, and what it returns; after `repeat` runs over
   * the same frame, with what one took on the average. `frame` is good until the next run. Throws a SystemCallError.
   */
  run(
    program: number,
    frame: Uint8Array,
    repeat = 1,
  ): { readonly result: number; readonly frame: Uint8Array; readonly nanoseconds: number } {
    const view = this.#view;
    view.setUint32(testRunAt.lengthOut, this.#out.bytes.length, true);
    view.setBigUint64(testRunAt.out, BigInt(this.#out.address), true);
    this.#call(program, frame, repeat, 0);
    const length = view.getUint32(testRunAt.lengthOut, true);
    return {
      result: view.getInt32(testRunAt.result, true),
      nanoseconds: view.getUint32(testRunAt.duration, true),
      frame: this.#out.bytes.subarray(0, length),
    };
  }

  /**
   * Hands `count` frames to an XDP program as a driver does, which then go where it says (Linux 5.18). They are few that come
   * again and again: `frame` is what they are before anybody writes into them. Throws a SystemCallError.
   */
  send(program: number, frame: Uint8Array, count: number): void {
    this.#view.setUint32(testRunAt.lengthOut, 0, true);
    this.#view.setBigUint64(testRunAt.out, 0n, true);
    this.#call(program, frame, count, BPF_F_TEST_XDP_LIVE_FRAMES);
  }

  #call(program: number, frame: Uint8Array, repeat: number, flags: number): void {
    const view = this.#view;
    this.#in.bytes.set(frame);
    view.setUint32(testRunAt.program, program, true);
    view.setUint32(testRunAt.lengthIn, frame.length, true);
    view.setUint32(testRunAt.repeat, repeat, true);
    view.setUint32(testRunAt.flags, flags, true);
    view.setBigUint64(testRunAt.in, BigInt(this.#in.address), true);
    const done = libbpf().bpf(
      BPF_SYSTEM_CALL,
      BPF_PROG_TEST_RUN,
      this.#attributes,
      TEST_RUN_LENGTH,
    );
    if (Number(done) < 0) throw new SystemCallError("bpf", koffi.errno(), "run a BPF program");
  }

  [Symbol.dispose](): void {
    this.#in[Symbol.dispose]();
    this.#out[Symbol.dispose]();
  }
}

function lastError(): string {
  return errnoName(koffi.errno());
}

const LOG_LINES = 6;

/** The end of what the verifier said. */
function lastLines(log: Memory): string {
  const text = new TextDecoder().decode(log.bytes.subarray(0, Math.max(0, log.bytes.indexOf(0))));
  const lines = text.trimEnd().split("\n").slice(-LOG_LINES);
  return text.trim() === "" ? "" : `: ${lines.join(" / ")}`;
}
