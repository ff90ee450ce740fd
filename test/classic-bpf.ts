/** Runs classic BPF programs as the kernel would: net/core/filter.c, as far as ours go. */

/** What the kernel knows of a frame, and the bytes of it that matter. */
export interface Frame {
  readonly hardwareType?: number;
  readonly packetType?: number;
  readonly hasVlanTag?: boolean;
  readonly interfaceIndex?: number;
  readonly etherType: number;
  readonly bytes?: Uint8Array;
}

const ANCILLARY = 0xffff_f000;
const DROP = 0;

/** What the program returns: how many bytes of the frame it takes. */
export function run(program: Uint8Array, frame: Frame): number {
  const view = new DataView(program.buffer, program.byteOffset, program.length);
  const bytes = frame.bytes ?? new Uint8Array(64);
  const ancillary: Readonly<Record<number, number>> = {
    0: frame.etherType,
    4: frame.packetType ?? 0,
    8: frame.interfaceIndex ?? 2,
    28: frame.hardwareType ?? 1,
    48: frame.hasVlanTag === true ? 1 : 0,
  };
  const load = (offset: number, length: number): number | undefined => {
    if (offset >= ANCILLARY) return ancillary[offset - ANCILLARY];
    if (offset + length > bytes.length) return undefined;
    return bytes.subarray(offset, offset + length).reduce((word, byte) => word * 256 + byte, 0);
  };
  let accumulator = 0;
  let index = 0;
  for (let at = 0; at < program.length; at += 8) {
    const value = view.getUint32(at + 4, true);
    const code = view.getUint16(at, true);
    const loaded = loadedBy(code, value);
    if (loaded !== undefined) {
      const word = load(...loaded);
      // A load beyond the frame's end.
      if (word === undefined) return DROP;
      accumulator = word;
      continue;
    }
    switch (code) {
      case 0xb1:
        index = 4 * (bytes[value]! & 0x0f);
        break;
      case 0x15:
        at += 8 * view.getUint8(at + (accumulator === value ? 2 : 3));
        break;
      case 0x25:
        at += 8 * view.getUint8(at + (accumulator > value ? 2 : 3));
        break;
      case 0x35:
        at += 8 * view.getUint8(at + (accumulator >= value ? 2 : 3));
        break;
      case 0x54:
        accumulator = (accumulator & value) >>> 0;
        break;
      case 0x45:
        at += 8 * view.getUint8(at + ((accumulator & value) !== 0 ? 2 : 3));
        break;
      case 0x05:
        at += 8 * value;
        break;
      case 0x06:
        return value;
      default:
        throw new Error(`unknown instruction at ${at}`);
    }
  }
  throw new Error("the program does not end");

  function loadedBy(code: number, value: number): [offset: number, length: number] | undefined {
    switch (code) {
      case 0x20:
        return [value, 4];
      case 0x28:
        return [value, 2];
      case 0x30:
        return [value, 1];
      case 0x48:
        return [value + index, 2];
      default:
        return undefined;
    }
  }
}
