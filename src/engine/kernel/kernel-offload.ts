/**
 * The kernel's part of the kernel engine: its programs run where packets arrive and where the door hands them on, and whatever
 * changes in the host has each connection meet its firewall, its routes and the director once more.
 */
import type { CardHook } from "../card-hook.ts";
import type { DecidedPacket, FlowOffload, ForwardedWatch } from "../flow-offload.ts";
import type { HostNetwork } from "../host/host-network.ts";
import { ReadableWatch } from "../host/system/libc.ts";
import { Attachments, type Hook } from "./attachments.ts";
import { KernelFlows } from "./kernel-flows.ts";
import { CARRIES } from "./kernel-rules.ts";
import { END_WITH_PROCESS, type PinnedMapsOptions } from "./loading.ts";
import { Onlookers } from "./onlookers.ts";
import { haveOwnMounts, leavePinPlace, makePinPlace, pinPlace } from "./pin-place.ts";
import { Pins } from "./pins.ts";
import { UsedNeighbours } from "./used-neighbours.ts";

const ON_WIRE =
  "where packets arrive, and opens connections of the services that the kernel can schedule there: the host's firewall, its rp_filter and its marks do not apply to them";

/** Servers whose ways are told anew after a change, at most. */
const WAYS_TOLD_MAX = 4_096;

const SECOND_MS = 1_000;

/** How often is looked at what nobody tells of. */
const REVIEW_MS = 1_000;

/** How long news of the programs wait at most; a packet or a question that comes before has them told at once. */
const NEWS_MS = 50;

const SEES_EACH = "the host's firewall sees every packet of balanced connections";
const SEES_FIRST =
  "the host's firewall sees the first packets of balanced connections, and one of each after every change";
const NOT_NATIVE =
  "--hook xdp: at these interfaces packets do not meet the program in the driver, and cost as much as with --hook tc, or more, because the kernel makes a socket buffer of each first";

export interface KernelOffloadOptions {
  readonly connectionsMax: number;
  /** Client's packets of a connection that the director opened itself which it sees at least. */
  readonly packetsSeen?: number | undefined;
  /** At which of tc's hooks the programs run; undefined: what the kernel has. */
  readonly hook?: Hook | undefined;
  /** Packets meet a program at XDP first, at interfaces that take it. */
  readonly atXdp?: boolean | undefined;
  /** Connections are opened where packets arrive, before the host's firewall. */
  readonly opensOnWire?: boolean | undefined;
  /** Has programs and connections outlive the process; undefined: they end with it. */
  readonly outliving?: KernelOutliving | undefined;
  /** Goes on, but not as it should. */
  readonly warn: (message: string, error?: unknown) => void;
  readonly inform?: ((message: string) => void) | undefined;
}

export interface KernelOutliving {
  /** Of the socket: where a BPF file system lies, or is made, if the host has none. */
  readonly folder: string;
  /** Whether what a process before left at work is gone on with. */
  readonly adopts: boolean;
  /** Whether all goes on without the process; else what a process before left is taken from where it would. */
  readonly stays: boolean;
  /** How long it goes on as it was while nothing is wanted, from when the engine stands. */
  readonly patienceSeconds: number;
  readonly inform: (message: string) => void;
}

export class KernelOffload implements FlowOffload {
  readonly name = "kernel";
  readonly #options: KernelOffloadOptions;
  /** What the director tells, and is told. */
  readonly flows: KernelFlows;
  readonly #attachments: Attachments;
  readonly #onlookers: Onlookers;
  /** Who is to see each packet, in words; "" for nobody, undefined as long as that was not known. */
  #onlooking: string | undefined;
  readonly #watch: ReadableWatch;
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #neighbours = new UsedNeighbours();
  /** Those of nftables that packets pass by, since it told of a change. */
  #chains: Promise<readonly string[]> | undefined;
  #network: HostNetwork | undefined;
  #networkGeneration = 0;
  #waysDue: NodeJS.Immediate | undefined;
  #attachFailures = 0;
  /** Of these interfaces has been said that they are not at XDP as drivers have it. */
  readonly #warned = new Set<string>();
  #isLeft = false;
  #hasBegun = false;
  /** Until what an earlier process left is ended, if nothing is wanted. */
  #patience: NodeJS.Timeout | undefined;

  /** Loads the programs. Throws a BpfError or SystemCallError when the host cannot. */
  constructor(options: KernelOffloadOptions) {
    this.#options = options;
    using stack = new DisposableStack();
    this.flows = stack.use(new KernelFlows({ ...options, outliving: pinsFor(options) }));
    stack.defer(() => {
      if (!this.flows.isInherited) this.#removePins();
    });
    this.flows.onInvalidated = () => this.#forgetWays();
    this.#attachments = stack.use(
      new Attachments(this.flows.programs, {
        hook: options.hook,
        pins: this.flows.pins,
        xdpMaps: options.atXdp === true ? this.flows.maps : undefined,
      }),
    );
    this.#onlookers = stack.use(
      new Onlookers({
        onChange: () => {
          this.#chains = undefined;
          this.#letSee();
          this.flows.invalidate();
        },
        onRead: () => this.#letSee(),
        warn: (message, error) => options.warn(message, error),
      }),
    );
    this.#letSee();
    this.#watch = stack.use(new ReadableWatch(this.flows.newsFd, () => this.flows.tell()));
    this.flows.attend();
    stack.move();
    this.#timers = [
      setInterval(() => this.#look(), REVIEW_MS).unref(),
      setInterval(() => this.#hear(), NEWS_MS).unref(),
    ];
  }

  begin(): void {
    const { stays, patienceSeconds = 0 } = this.#options.outliving ?? {};
    this.#hasBegun = true;
    if (stays === false) this.endWithProcess();
    const end = (): void => {
      try {
        this.flows.applied(true);
      } catch (error) {
        this.#options.warn("what a daemon before left in the kernel is not ended", error);
      }
    };
    this.#patience = setTimeout(end, patienceSeconds * SECOND_MS).unref();
  }

  async stand(taken: string): Promise<string> {
    if (this.#options.opensOnWire !== true) {
      return this.#onlooking
        ? `${taken}, which sees every packet of theirs: ${this.#onlooking}`
        : taken;
    }
    const { chainsPassedBy, settingsPassedBy } = await import("./passed-by.ts");
    this.#chains ??= chainsPassedBy().catch((error: unknown) => {
      this.#chains = undefined;
      return [
        `rules of nftables, which cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      ];
    });
    const passedBy = [...(await this.#chains), ...settingsPassedBy()];
    const what = passedBy.length === 0 ? "there are none now" : passedBy.join("; ");
    const tracked = this.#onlooking
      ? `; but TCP goes through them all the same: ${this.#onlooking}`
      : "";
    return `${ON_WIRE} (${what})${tracked}`;
  }

  get cards(): readonly CardHook[] {
    return this.#attachments.cards;
  }

  get pins(): string | undefined {
    return this.flows.pins?.folder;
  }

  endWithProcess(): void {
    this.#attachments.forgetPins();
    this.#removePins();
    this.flows.forgetPins();
  }

  leave(): void {
    this.#attachments.leave();
    this.flows.attend(0);
    this.#isLeft = true;
  }

  follow(network: HostNetwork): void {
    const isFirst = this.#network === undefined;
    this.#network = network;
    try {
      this.#attachments.follow(network.links);
    } catch (error) {
      if (isFirst) throw error;
      if (this.#attachFailures++ === 0) {
        this.#options.warn("an interface's packets are not forwarded in the kernel", error);
      }
    }
    if (this.#options.atXdp === true) this.#warnOfSlower();
    if (network.generation !== this.#networkGeneration) {
      this.flows.addressesChanged((address) => network.isLocal(address));
    }
    if (network.generation !== this.#networkGeneration || this.#neighbours.haveMoved(network)) {
      this.flows.invalidate();
    }
    this.#networkGeneration = network.generation;
  }

  learn(packet: DecidedPacket): void {
    const { route, linkAddresses } = packet;
    // What is known of the network has changed, and this was decided before.
    if (this.#network?.generation !== this.#networkGeneration) return;
    this.#neighbours.use(route.interfaceIndex, route.nextHop, linkAddresses);
    this.flows.learn(packet);
  }

  watch(told: ForwardedWatch): Disposable {
    return this.flows.watch(told, (index, mac) => this.#neighbours.addressWith(index, mac));
  }

  reasons(): Readonly<Record<string, number>> {
    return { ...this.flows.reasons(), "kernel-attach-failed": this.#attachFailures };
  }

  [Symbol.dispose](): void {
    // Nobody has gone on with what an earlier process left: it is as it was.
    if (!this.#hasBegun && this.flows.isInherited && this.pins !== undefined) this.leave();
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#patience);
    clearImmediate(this.#waysDue);
    this.#watch[Symbol.dispose]();
    this.#onlookers[Symbol.dispose]();
    this.#attachments[Symbol.dispose]();
    if (!this.#isLeft) this.#removePins();
    // The last that they did, for the connections' file: where they are left may end with the process's mounts.
    this.flows.tell();
    this.flows[Symbol.dispose]();
  }

  /** Once of those that were there at first, and of each that comes. */
  #warnOfSlower(): void {
    const slower = this.cards.filter(({ interface: name, hook, why }) => {
      if (why === null || hook === "none" || this.#warned.has(name)) return false;
      this.#warned.add(name);
      return true;
    });
    if (slower.length === 0) return;
    const each = slower.map(({ interface: name, hook, why }) => `${name} (${hook}): ${why}`);
    this.#options.warn(`${NOT_NATIVE}: ${each.join("; ")}`);
  }

  #removePins(): void {
    const { folder } = this.#options.outliving ?? {};
    try {
      this.flows.pins?.remove();
      if (folder !== undefined) leavePinPlace(folder);
    } catch (error) {
      this.#options.warn(`the kernel's programs cannot be ended (${this.pins})`, error);
    }
  }

  #hear(): void {
    this.#onlookers.lookForTables();
    this.flows.attend();
    this.flows.tell();
    this.flows.recount();
  }

  #forgetWays(): void {
    this.#neighbours.clear();
    this.#waysDue ??= setImmediate(() => {
      this.#waysDue = undefined;
      this.#tellWays();
    });
  }

  /** The ways that were in use are told anew at once: else a packet of each server would have to come to the director. */
  #tellWays(): void {
    const network = this.#network;
    if (network === undefined || network.generation !== this.#networkGeneration) return;
    for (const destination of this.flows.mirror.reached(WAYS_TOLD_MAX)) {
      const route = destination.route(network);
      if (typeof route === "string") continue;
      const { interfaceIndex, nextHop: address } = route;
      const neighbour = network.neighbour(interfaceIndex, address);
      const link = network.links.get(interfaceIndex);
      if (neighbour === undefined || link?.header !== "ethernet") continue;
      const linkAddresses = Uint8Array.of(...neighbour.mac, ...link.mac);
      this.#neighbours.use(interfaceIndex, address, linkAddresses);
      this.flows.tellWay(destination, route, linkAddresses);
    }
  }

  /** Has what is to see each packet see it: it goes through the host, and is forwarded behind its firewall. */
  #letSee(): void {
    const which = this.#onlookers.which;
    const opensOnWire = this.#options.opensOnWire === true;
    // Until the rules have been read they may be any.
    if (which === undefined) {
      if (!opensOnWire) this.flows.forwardAtCard(0);
      return;
    }
    const all = opensOnWire ? [] : which.all;
    const udp = all.length > 0 ? 0 : CARRIES.udp;
    const tcp = all.length + which.tcp.length > 0 ? 0 : CARRIES.tcp;
    this.flows.forwardAtCard(tcp | udp);
    const onlooking = [...all, ...which.tcp].join("; ");
    if (onlooking !== (this.#onlooking ?? "")) this.#options.inform?.(told(onlooking));
    this.#onlooking = onlooking;
  }

  #look(): void {
    this.#onlookers.lookForTracking();
    const network = this.#network;
    if (network === undefined) return;
    if (this.#attachments.haveChanged()) this.follow(network);
    const isOutdated =
      network.generation !== this.#networkGeneration || this.#neighbours.haveMoved(network);
    if (isOutdated) this.flows.invalidate();
    this.#networkGeneration = network.generation;
  }
}

function told(onlooking: string): string {
  return onlooking === "" ? SEES_FIRST : `${SEES_EACH}: ${onlooking}`;
}

function endsWithMounts(place: string): string {
  return `${END_WITH_PROCESS}'s own mounts, as "ip netns exec" gives it some: "mount -t bpf bpf ${place}" before, outside, has them go on`;
}

/** Undefined where nothing can, or shall, outlive the process. */
function pinsFor({ outliving, warn }: KernelOffloadOptions): PinnedMapsOptions | undefined {
  if (outliving === undefined) return undefined;
  const { folder, adopts, stays, inform } = outliving;
  try {
    const found = pinPlace(folder);
    const place = found ?? (stays ? makePinPlace(folder) : undefined);
    if (place === undefined) return undefined;
    if (found === undefined && haveOwnMounts()) warn(endsWithMounts(place));
    Pins.sweep(place);
    const pins = new Pins(place);
    // Throws when they are another user's.
    if (pins.exist) pins.identity();
    return stays || pins.exist ? { pins, adopts, inform, warn } : undefined;
  } catch (error) {
    warn(END_WITH_PROCESS, error);
    return undefined;
  }
}
