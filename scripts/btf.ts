/**
 * The structs and enums that a BPF object describes: its ELF section .BTF (Documentation/bpf/btf.rst), of a
 * little-endian object. Throws for what is no such object.
 */

export interface BtfStruct {
  readonly name: string;
  readonly size: number;
  /** Offsets in bytes; bit fields are left out. */
  readonly members: readonly { readonly name: string; readonly offset: number }[];
}

export interface BtfEnum {
  readonly name: string;
  readonly values: readonly { readonly name: string; readonly number: number }[];
}

export interface Btf {
  readonly structs: readonly BtfStruct[];
  readonly enums: readonly BtfEnum[];
}

/** BTF_KIND_*, and how many bytes follow struct btf_type: in all, and for each of its vlen. */
// biome-ignore format: a table
const KINDS: ReadonlyMap<number, { readonly fixed: number; readonly each: number }> = new Map([
  [1,  { fixed: 4,  each: 0 }],  // INT
  [2,  { fixed: 0,  each: 0 }],  // PTR
  [3,  { fixed: 12, each: 0 }],  // ARRAY
  [4,  { fixed: 0,  each: 12 }], // STRUCT
  [5,  { fixed: 0,  each: 12 }], // UNION
  [6,  { fixed: 0,  each: 8 }],  // ENUM
  [7,  { fixed: 0,  each: 0 }],  // FWD
  [8,  { fixed: 0,  each: 0 }],  // TYPEDEF
  [9,  { fixed: 0,  each: 0 }],  // VOLATILE
  [10, { fixed: 0,  each: 0 }],  // CONST
  [11, { fixed: 0,  each: 0 }],  // RESTRICT
  [12, { fixed: 0,  each: 0 }],  // FUNC
  [13, { fixed: 0,  each: 8 }],  // FUNC_PROTO
  [14, { fixed: 4,  each: 0 }],  // VAR
  [15, { fixed: 0,  each: 12 }], // DATASEC
  [16, { fixed: 0,  each: 0 }],  // FLOAT
  [17, { fixed: 4,  each: 0 }],  // DECL_TAG
  [18, { fixed: 0,  each: 0 }],  // TYPE_TAG
  [19, { fixed: 0,  each: 12 }], // ENUM64
]);
const STRUCT = 4;
const ENUM = 6;
const TYPE_LENGTH = 12;
const MAGIC = 0xeb9f;

/** struct btf_header. */
const headerAt = { length: 4, typesAt: 8, typesLength: 12, stringsAt: 16 } as const;

export function btfIn(object: Uint8Array): Btf {
  const section = sectionOf(object, ".BTF");
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  if (view.getUint16(0, true) !== MAGIC) throw new Error("The section .BTF holds no BTF");
  const headerLength = view.getUint32(headerAt.length, true);
  const strings = headerLength + view.getUint32(headerAt.stringsAt, true);
  const nameAt = (offset: number): string => textAt(section, strings + offset);
  const structs: BtfStruct[] = [];
  const enums: BtfEnum[] = [];
  let at = headerLength + view.getUint32(headerAt.typesAt, true);
  const end = at + view.getUint32(headerAt.typesLength, true);
  while (at < end) {
    const info = view.getUint32(at + 4, true);
    const count = info & 0xffff;
    const kind = KINDS.get((info >>> 24) & 0x1f);
    if (kind === undefined) throw new Error(`BTF kind ${(info >>> 24) & 0x1f} is not known`);
    const name = nameAt(view.getUint32(at, true));
    const entries = Array.from(
      { length: count },
      (_, index) => at + TYPE_LENGTH + index * kind.each,
    );
    if (kind === KINDS.get(STRUCT)) {
      const members = entries.map((entry) => ({
        name: nameAt(view.getUint32(entry, true)),
        offset: (view.getUint32(entry + 8, true) & 0xff_ffff) / 8,
      }));
      structs.push({ name, size: view.getUint32(at + 8, true), members });
    }
    if (kind === KINDS.get(ENUM)) {
      const values = entries.map((entry) => ({
        name: nameAt(view.getUint32(entry, true)),
        number: view.getInt32(entry + 4, true),
      }));
      enums.push({ name, values });
    }
    at += TYPE_LENGTH + kind.fixed + count * kind.each;
  }
  return { structs, enums };
}

/** Elf64_Ehdr and Elf64_Shdr. */
const elfAt = { sections: 40, sectionLength: 58, sectionCount: 60, namesIndex: 62 } as const;
const sectionAt = { name: 0, offset: 24, length: 32 } as const;

function sectionOf(object: Uint8Array, wanted: string): Uint8Array {
  const view = new DataView(object.buffer, object.byteOffset, object.byteLength);
  const sections = Number(view.getBigUint64(elfAt.sections, true));
  const length = view.getUint16(elfAt.sectionLength, true);
  const header = (index: number): number => sections + index * length;
  const contentOf = (at: number): number => Number(view.getBigUint64(at + sectionAt.offset, true));
  const names = contentOf(header(view.getUint16(elfAt.namesIndex, true)));
  for (let index = 0; index < view.getUint16(elfAt.sectionCount, true); index++) {
    const at = header(index);
    if (textAt(object, names + view.getUint32(at + sectionAt.name, true)) !== wanted) continue;
    const start = contentOf(at);
    return object.subarray(start, start + Number(view.getBigUint64(at + sectionAt.length, true)));
  }
  throw new Error(`There is no section ${wanted}`);
}

function textAt(bytes: Uint8Array, start: number): string {
  return new TextDecoder().decode(bytes.subarray(start, bytes.indexOf(0, start)));
}
