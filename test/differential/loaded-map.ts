/** A map of the programs', of any kind: emptied as a load leaves it, and looked at. */
import { createHash } from "node:crypto";
import { Memory } from "../../src/engine/host/system/libc.ts";
import { type MapInformation, mapInformation } from "../../src/engine/kernel/bpf-call.ts";
import {
  deleteElement,
  elementsOf,
  lookUpElement,
  popElement,
  possibleCpus,
  updateElement,
} from "../../src/engine/kernel/libbpf.ts";
import { NewsRing } from "../../src/engine/kernel/news-ring.ts";

/** enum bpf_map_type. */
const TYPE = { hash: 1, array: 2, perCpuArray: 6, lruHash: 9, queue: 22, ring: 27 } as const;
/** BPF_F_RDONLY_PROG, of what programs have as constants, and BPF_F_MMAPABLE. */
const FLAG = { readOnly: 1 << 7, mapped: 1 << 10 } as const;
/** Much of the maps is never written: it is looked at, which is faster, and written where it has to be. */
const CHUNK = 65_536;
const ZEROES = new Uint8Array(CHUNK);
const ATTEMPT = "map what a world begins with";

export interface LoadedMap {
  /** It holds what it held after the load. */
  empty(): void;
  /** What it holds, told apart from all else that it may hold; of a queue it is what comes first, which goes. */
  content(): string;
}

/** Throws a SystemCallError. */
export function loadedMap(name: string, map: number, stack: DisposableStack): LoadedMap {
  const information = mapInformation(map);
  const { type, flags, valueLength, entries } = information;
  const length = (valueLength + 7) & ~7;
  switch (type) {
    case TYPE.array: {
      if ((flags & FLAG.readOnly) !== 0) return { empty: () => {}, content: () => "constant" };
      if ((flags & FLAG.mapped) === 0) return arrayMap(map, entries, length);
      const { bytes } = stack.use(Memory.shared(map, entries * length, ATTEMPT));
      return { empty: () => clear(bytes), content: () => digest([bytes]) };
    }
    case TYPE.perCpuArray:
      return arrayMap(map, entries, possibleCpus() * length);
    case TYPE.hash:
    case TYPE.lruHash:
      return hashMap(map, information);
    case TYPE.queue:
      return queueMap(map, length);
    case TYPE.ring: {
      const ring = stack.use(new NewsRing(map, entries));
      return { empty: () => ring.discard(), content: () => (ring.isEmpty ? "empty" : "news") };
    }
    default:
      throw new Error(`A world would not begin anew: ${name} is of a kind that is not known`);
  }
}

/** A timer in a value ends when that is written. */
function arrayMap(map: number, entries: number, length: number): LoadedMap {
  const keys = Array.from({ length: entries }, (_, index) => keyOf(index));
  const value = new Uint8Array(length);
  return {
    empty: () => {
      for (const key of keys) updateElement(map, key, value);
    },
    content: () =>
      digest(
        keys.map((key) => {
          const found = new Uint8Array(length);
          lookUpElement(map, key, found);
          return found;
        }),
      ),
  };
}

function hashMap(map: number, { keyLength, valueLength }: MapInformation): LoadedMap {
  const elements = () => [...elementsOf(map, keyLength, valueLength)];
  return {
    empty: () => {
      for (const { key } of elements()) deleteElement(map, key);
    },
    content: () => digest(elements().flatMap(({ key, value }) => [key, value])),
  };
}

function queueMap(map: number, length: number): LoadedMap {
  const value = new Uint8Array(length);
  return {
    empty: () => {
      while (popElement(map, value) === 0);
    },
    content: () => (popElement(map, value) === 0 ? digest([value]) : "empty"),
  };
}

function keyOf(index: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(index).buffer);
}

function clear(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const chunk = bytes.subarray(at, at + CHUNK);
    if (Buffer.compare(chunk, ZEROES.subarray(0, chunk.length)) !== 0) chunk.fill(0);
  }
}

function digest(parts: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return `${parts.length} ${hash.digest("hex")}`;
}
