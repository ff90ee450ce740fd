/**
 * What an engine needs that takes others long: nft's start, and the kernel's clearing of the packet ring's memory. Neither
 * depends on anything of the host's, and so both are begun before the engine's code is loaded. What a process before left is
 * held from here on, too.
 */
import { NetworkNamespace } from "../host/system/network-namespace.ts";
import { ConnectionHold } from "./connection-hold.ts";
import { keptNamespace } from "./door/kept-namespace.ts";
import { Nft } from "./door/nft.ts";
import { RingSocket } from "./ring/ring-socket.ts";

export interface HeadStartParts {
  readonly nft: Nft;
  /** Where our end of the lane will lie; undefined: beside the host's. */
  readonly namespace: NetworkNamespace | undefined;
  /** Lies there. */
  readonly socket: RingSocket;
  /** Resolves when it has its memory. */
  readonly prepared: Promise<void>;
}

export class HeadStart implements AsyncDisposable {
  #parts: HeadStartParts | undefined;
  /** Of the file of connections; whoever opens that takes it. */
  readonly hold: ConnectionHold | undefined;

  /** `file`: of the connections of a process before this one, if there is any. Throws a SystemCallError when the kernel refuses. */
  constructor(file?: string) {
    using stack = new DisposableStack();
    // First of all: who keeps it may be about to remove it, and all that goes with it.
    this.hold = file === undefined ? undefined : stack.use(new ConnectionHold(file));
    const namespace =
      (file === undefined ? undefined : keptNamespace(file)) ?? NetworkNamespace.ifGranted();
    if (namespace !== undefined) stack.use(namespace);
    const open = (): RingSocket => new RingSocket();
    const socket = stack.use(namespace === undefined ? open() : namespace.inside(open));
    this.#parts = { nft: new Nft(), namespace, socket, prepared: socket.prepare() };
    stack.move();
  }

  /** The parts, which are the caller's from now on. */
  take(): HeadStartParts {
    const parts = this.#parts;
    if (parts === undefined) throw new Error("Cannot take a head start twice");
    this.#parts = undefined;
    return parts;
  }

  /** Ends what nobody took. */
  async [Symbol.asyncDispose](): Promise<void> {
    const parts = this.#parts;
    this.#parts = undefined;
    this.hold?.[Symbol.dispose]();
    parts?.socket[Symbol.dispose]();
    parts?.namespace?.[Symbol.dispose]();
    await parts?.nft.end();
  }
}
