/**
 * The programs with their maps, loaded once for many worlds: the kernel takes longer to verify them than a world of some thousand
 * packets lasts. Each world begins with maps as a load leaves them.
 */
import { prng } from "../../src/base/prng.ts";
import type { BpfParts } from "../../src/engine/kernel/libbpf.ts";
import { layOut, loadAnew } from "../../src/engine/kernel/loading.ts";
import { XdpProgram } from "../../src/engine/kernel/xdp-program.ts";
import { MAC_LENGTH } from "../../src/net/mac-address.ts";
import { type LoadedMap, loadedMap } from "./loaded-map.ts";

export const CONNECTIONS_MAX = 2_000;

/** A TEST_RUN's frames are for the loopback's address, which is all 0; only at XDP do they tell that they came by it. */
export const LOOPBACK = { index: 1, kind: undefined, mac: new Uint8Array(MAC_LENGTH) };

/** Where packets from the wire meet the program. */
export type WireHook = "tc" | "xdp";

export class Programs implements Disposable {
  readonly hook: WireHook;
  /** At XDP. */
  readonly atDriver: number | undefined;
  readonly #parts: BpfParts;
  readonly #maps: ReadonlyMap<string, LoadedMap>;
  readonly #stack: DisposableStack;

  /** Throws a BpfError or SystemCallError. */
  constructor(hook: WireHook = "tc") {
    using stack = new DisposableStack();
    this.hook = hook;
    const parts = stack.use(loadAnew(CONNECTIONS_MAX));
    const names = parts.mapNames();
    if (hook === "xdp") {
      const shared = names.filter((name) => !name.includes("."));
      const xdp = stack.use(
        new XdpProgram(Object.fromEntries(shared.map((name) => [name, parts.map(name)]))),
      );
      xdp.describe(LOOPBACK, "generic");
      this.atDriver = xdp.fd;
    }
    this.#parts = parts;
    this.#maps = new Map(names.map((name) => [name, loadedMap(name, parts.map(name), stack)]));
    this.#stack = stack.move();
  }

  /** Nothing is left of the world before. `secret` decides by what flows are hashed. They stay when they are disposed of. */
  begin(secret: number): BpfParts {
    for (const map of this.#maps.values()) map.empty();
    const random = prng(secret);
    layOut(this.#parts, CONNECTIONS_MAX, (bytes) => {
      for (let at = 0; at < bytes.length; at++) bytes[at] = random.below(256);
    });
    return {
      mapNames: () => this.#parts.mapNames(),
      map: (name) => this.#parts.map(name),
      program: (name) => this.#parts.program(name),
      [Symbol.dispose]: () => {},
    };
  }

  /** What is in the maps now, by name. */
  contents(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#maps].map(([name, map]) => [name, map.content()]));
  }

  [Symbol.dispose](): void {
    this.#stack[Symbol.dispose]();
  }
}
