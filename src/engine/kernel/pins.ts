/**
 * What of the programs outlives the process: their maps, themselves and where they run, each a file of a BPF file system, in a
 * folder for each network namespace.
 *
 *     net-COOKIE/identity            which object they are of (Identity)
 *     net-COOKIE/maps/NAME           programs/NAME
 *     net-COOKIE/links/INDEX-HOOK    a program at an interface; the kernel ends it with its file
 *
 * A folder is made under another name and gets its own when it is whole. docs/decisions/0021-the-data-plane-outlives-the-daemon.md
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from "node:fs";
import { join } from "node:path";
import { close, getOption, socket } from "../host/system/libc.ts";
import {
  createNote,
  getPinned,
  hasUser,
  linkInformation,
  pin,
  readNote,
  writeNote,
} from "./bpf-call.ts";
import type { BpfObject, BpfParts } from "./libbpf.ts";
import { PINS_FOLDER } from "./pin-place.ts";
import type { Shapes } from "./shapes.ts";

const IDENTITY = "identity";
/** Less than a page, with a key before it. */
const IDENTITY_LENGTH = 4_000;
/** What a gate's table of programs is kept as (clsact.ts). */
export const KEPT_GATE = "gate";
/** Longer than it takes to keep an object's parts. */
const UNFINISHED_MS = 60_000;
const KINDS = ["links", "programs", "maps"] as const;

const SOL_SOCKET = 1;
const SO_NETNS_COOKIE = 71;
const AF_UNIX = 1;
const SOCK_DGRAM = 2;

/** Which programs they are, and for whom their maps are laid out. */
export interface Identity {
  /** Of the object's bytes. */
  readonly object: string;
  /** Of what programs and daemon say to each other. */
  readonly layout: string;
  readonly connectionsMax: number;
  /** By which another version can read what is there; a version before them did not note any. */
  readonly shapes?: Shapes | undefined;
}

/** What no two network namespaces of a boot share; their inodes are used again. */
export function networkCookie(): string {
  const attempt = "tell this network namespace from others";
  const fd = socket(AF_UNIX, SOCK_DGRAM, 0, attempt);
  try {
    const cookie = new BigUint64Array(1);
    getOption(fd, SOL_SOCKET, SO_NETNS_COOKIE, new Uint8Array(cookie.buffer), attempt);
    return String(cookie[0]);
  } finally {
    close(fd);
  }
}

/** The pins of one network namespace. */
export class Pins {
  readonly folder: string;

  /** `place`: the BPF file system; in the current network namespace. */
  constructor(place: string, cookie = networkCookie()) {
    this.folder = join(place, PINS_FOLDER, `net-${cookie}`);
  }

  /** Those of all network namespaces. */
  static all(place: string): Pins[] {
    const folder = join(place, PINS_FOLDER);
    const names = existsSync(folder) ? readdirSync(folder) : [];
    return names.flatMap((name) => {
      const cookie = /^net-(\d+)$/.exec(name)?.[1];
      return cookie === undefined ? [] : new Pins(place, cookie);
    });
  }

  get exist(): boolean {
    return existsSync(this.folder);
  }

  /** Whose they are, as whoever pinned them wrote; undefined when that cannot be read. Throws when another user made them. */
  identity(): Identity | undefined {
    const { uid } = lstatSync(this.folder);
    if (uid !== process.geteuid?.()) {
      throw new Error(`${this.folder} is another user's (uid ${uid}), and stays`);
    }
    return this.lookAtIdentity();
  }

  /** As identity(), of whoever's, for who looks on alone. */
  lookAtIdentity(): Identity | undefined {
    try {
      return this.#read();
    } catch {
      return undefined;
    }
  }

  /** Keeps all of an object's maps and programs. Throws a SystemCallError. */
  keep(object: BpfObject, identity: Identity): void {
    renameSync(this.#write(object, identity), this.folder);
  }

  /** As keep(), in the place of what is kept. Links and a gate stay, and have yet to be told of other programs. */
  replace(object: BpfObject, identity: Identity): void {
    const { folder } = this;
    const links = this.linkNames().map((name) => join("links", name));
    const staying = this.hasGate ? [...links, join("maps", KEPT_GATE)] : links;
    const parts = this.#write(object, identity);
    for (const path of staying) renameSync(join(folder, path), join(parts, path));
    removeFolder(folder);
    renameSync(parts, folder);
  }

  /** In a folder that gets its name when it is whole. */
  #write(object: BpfObject, identity: Identity): string {
    const whole = this.folder;
    const parts = `${whole}-new`;
    mkdirSync(join(whole, ".."), { mode: 0o700, recursive: true });
    removeFolder(parts);
    for (const kind of ["", ...KINDS]) mkdirSync(join(parts, kind), { mode: 0o700 });
    // Those of programs' own variables have a dot, which no file here may have, and stay with the programs.
    for (const name of object.mapNames().filter((each) => !each.includes("."))) {
      pin(object.map(name), join(parts, "maps", name));
    }
    for (const name of object.programNames()) {
      pin(object.program(name), join(parts, "programs", name));
    }
    const note = createNote(IDENTITY_LENGTH);
    try {
      writeNote(note, inBytes(identity));
      pin(note, join(parts, IDENTITY));
    } finally {
      close(note);
    }
    return parts;
  }

  /** From now on these are the programs, and that is what they are of; links have yet to be told. */
  exchangePrograms(object: BpfObject, identity: Identity): void {
    for (const name of object.programNames()) {
      const path = join(this.folder, "programs", name);
      if (existsSync(path)) unlinkSync(path);
      pin(object.program(name), path);
    }
    this.note(identity);
  }

  /** From now on that is what they are of. */
  note(identity: Identity): void {
    const note = getPinned(join(this.folder, IDENTITY));
    try {
      writeNote(note, inBytes(identity));
    } finally {
      close(note);
    }
  }

  /** What is kept, the caller's to dispose of. Throws a SystemCallError where something is missing. */
  open(): PinnedParts {
    return new PinnedParts(this.folder);
  }

  /** A descriptor of a link that is kept; undefined when there is none, or its interface has gone. */
  link(name: string): number | undefined {
    const path = join(this.folder, "links", name);
    if (!existsSync(path)) return undefined;
    const fd = getPinned(path);
    using unless = new DisposableStack();
    unless.defer(() => close(fd));
    if (linkInformation(fd).interfaceIndex !== 0) {
      unless.move();
      return fd;
    }
    unlinkSync(path);
    return undefined;
  }

  /** A descriptor of a map that is kept beside the object's, the caller's to close; undefined when there is none. */
  map(name: string): number | undefined {
    const path = join(this.folder, "maps", name);
    return existsSync(path) ? getPinned(path) : undefined;
  }

  keepMap(name: string, fd: number): void {
    pin(fd, join(this.folder, "maps", name));
  }

  /** Programs run behind a gate of filters: clsact.ts. */
  get hasGate(): boolean {
    return existsSync(join(this.folder, "maps", KEPT_GATE));
  }

  /** Those of network namespaces that have gone: nothing of theirs runs anywhere. */
  static sweep(place: string): void {
    removeUnfinished(join(place, PINS_FOLDER));
    for (const pins of Pins.all(place)) {
      try {
        pins.#removeIfGone();
      } catch {
        // Another daemon has them, or is at it at the same time.
      }
    }
  }

  #removeIfGone(): void {
    const names = this.linkNames();
    const isGone = this.hasGate
      ? !this.#isGateUsed()
      : names.length > 0 && names.every((name) => !this.#isAtWork(name));
    if (isGone) this.remove();
  }

  /** A filter goes with its interface, and the last one with the gate's programs. */
  #isGateUsed(): boolean {
    const fd = getPinned(join(this.folder, "maps", KEPT_GATE));
    try {
      return hasUser(fd);
    } finally {
      close(fd);
    }
  }

  #isAtWork(name: string): boolean {
    const fd = this.link(name);
    if (fd !== undefined) close(fd);
    return fd !== undefined;
  }

  linkNames(): string[] {
    const folder = join(this.folder, "links");
    return existsSync(folder) ? readdirSync(folder) : [];
  }

  keepLink(name: string, fd: number): void {
    pin(fd, join(this.folder, "links", name));
  }

  /** The kernel ends it when nobody else has it. */
  removeLink(name: string): void {
    const path = join(this.folder, "links", name);
    if (existsSync(path)) unlinkSync(path);
  }

  /** Programs stop at their next packet, and all that they know is gone. */
  remove(): void {
    removeFolder(`${this.folder}-new`);
    removeFolder(this.folder);
  }

  #read(): Identity {
    const fd = getPinned(join(this.folder, IDENTITY));
    try {
      const bytes = new Uint8Array(IDENTITY_LENGTH);
      readNote(fd, bytes);
      const text = Buffer.from(bytes.subarray(0, bytes.indexOf(0))).toString("utf8");
      return JSON.parse(text) as Identity;
    } finally {
      close(fd);
    }
  }
}

/** Maps and programs that an earlier process loaded. */
export class PinnedParts implements BpfParts {
  readonly #folder: string;
  readonly #fds = new Map<string, number>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  mapNames(): readonly string[] {
    return readdirSync(join(this.#folder, "maps")).filter((name) => name !== KEPT_GATE);
  }

  map(name: string): number {
    return this.#open(join("maps", name));
  }

  program(name: string): number {
    return this.#open(join("programs", name));
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds.values()) close(fd);
    this.#fds.clear();
  }

  #open(name: string): number {
    const known = this.#fds.get(name);
    if (known !== undefined) return known;
    const fd = getPinned(join(this.#folder, name));
    this.#fds.set(name, fd);
    return fd;
  }
}

function inBytes(identity: Identity): Uint8Array {
  const bytes = new Uint8Array(IDENTITY_LENGTH);
  const length = Buffer.from(bytes.buffer).write(JSON.stringify(identity), "utf8");
  if (length === IDENTITY_LENGTH) throw new RangeError("Cannot note what the BPF programs are of");
  return bytes;
}

/** What whoever made it did not finish: that takes no time, and nothing of it runs. */
function removeUnfinished(folder: string): void {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  for (const name of names.filter((each) => /^net-\d+-new$/.test(each))) {
    try {
      const path = join(folder, name);
      if (Date.now() - lstatSync(path).mtimeMs > UNFINISHED_MS) removeFolder(path);
    } catch {
      // Another daemon's, or gone.
    }
  }
}

/** Links first: what runs does so with all that it needs. Nothing is no error. */
function removeFolder(folder: string): void {
  for (const kind of [...KINDS, ""]) {
    const path = join(folder, kind);
    if (!existsSync(path)) continue;
    for (const name of readdirSync(path)) {
      const entry = join(path, name);
      if (lstatSync(entry).isDirectory()) removeFolder(entry);
      else unlinkSync(entry);
    }
    rmdirSync(path);
  }
}
