/**
 * Which defences against memory exhaustion are on: drop_entry, drop_packet and secure_tcp.
 *
 * Modes 1 and 2 follow the host's free memory, looked at once a second and when a mode is set: 1 turns itself into 2
 * while memory is short, and 2 back into 1. update_defense_level() and ip_vs_todrop() in ip_vs_ctl.c and ip_vs.h.
 * drop_entry, which makes room in the connection table, also follows how full that is: the kernel's has no limit.
 */
import type { Instant } from "../../base/clock.ts";
import { DEFAULT_SYSCTLS, type Sysctls } from "../desired/sysctls.ts";
import type { Host } from "../host.ts";
import type { Opening } from "../packets/opening.ts";
import type { Holding } from "./holding.ts";
import { SecondTries } from "./second-tries.ts";

const MODES = ["drop_entry", "drop_packet", "secure_tcp"] as const;

type Modes = { [name in (typeof MODES)[number]]: number };

/** The modes' values: off, waiting for memory to become short, on because it is short, always on. */
const MODE = { off: 0, waiting: 1, active: 2, always: 3 } as const;

/** The number of no batch. */
const CALM = 0;

/** What part of the connection table is in use when its entries are given up as for want of memory. */
const CROWDED = 3 / 4;

export class Defence {
  readonly #host: Host;
  readonly #fill: () => number;
  readonly #tries: SecondTries;
  #wanted = DEFAULT_SYSCTLS;
  #sysctls = DEFAULT_SYSCTLS;
  #dropRate = 0;
  #dropCounter = 0;
  #batches = CALM;
  /** The number of the batch that is dealt with, if more wait than can be. */
  #pressedBatch = CALM;

  /** `fill`: what part of the connection table is in use; `key`: a random number that nobody outside knows. */
  constructor(host: Host, fill: () => number, key: number) {
    this.#host = host;
    this.#fill = fill;
    this.#tries = new SecondTries(key);
  }

  /** All knobs as they are now: what the operator wanted, with the modes that turned themselves. */
  get sysctls(): Sysctls {
    return this.#sysctls;
  }

  get isDroppingEntries(): boolean {
    return this.#sysctls.drop_entry >= MODE.active;
  }

  get isSecureTcp(): boolean {
    return this.#sysctls.secure_tcp >= MODE.active;
  }

  /** Takes the operator's knobs over. A mode that he leaves as it was stays what it turned itself into. */
  apply(wanted: Sysctls): void {
    if (wanted === this.#wanted) return;
    const changed = MODES.filter((name) => wanted[name] !== this.#wanted[name]);
    const modes = { ...modesOf(this.#sysctls) };
    for (const name of changed) modes[name] = wanted[name];
    this.#wanted = wanted;
    this.#sysctls = { ...wanted, ...modes };
    if (changed.length > 0) this.update();
  }

  /** Looks at the memory, if a mode asks for it, and turns modes. To be called once a second. */
  update(): void {
    const { amemthresh, am_droprate } = this.#sysctls;
    const modes = modesOf(this.#sysctls);
    const followsMemory = MODES.some((name) => isFollowingMemory(modes[name]));
    const available = followsMemory ? this.#host.availablePages() : 0;
    const isShort = followsMemory && available < amemthresh;
    const turned = { ...modes };
    for (const name of MODES) {
      if (!isFollowingMemory(modes[name])) continue;
      const isOn = isShort || (name === "drop_entry" && this.#fill() >= CROWDED);
      turned[name] = isOn ? MODE.active : MODE.waiting;
    }
    if (MODES.some((name) => turned[name] !== modes[name])) {
      this.#sysctls = { ...this.#sysctls, ...turned };
    }
    switch (turned.drop_packet) {
      case MODE.active:
        this.#dropRate = this.#dropCounter = Math.trunc(amemthresh / (amemthresh - available));
        break;
      case MODE.always:
        this.#dropRate = am_droprate;
        break;
      default:
        this.#dropRate = 0;
    }
  }

  /** Packets follow that came together, and whether there are more than can be dealt with. */
  beginBatch(isPressed: boolean): void {
    this.#pressedBatch = isPressed ? ++this.#batches : CALM;
  }

  /**
   * Whether not to open this connection of a service's: what costs most gives way to connections that there are, so that
   * a flood of beginnings costs them nothing. Each service still opens one in a batch, and what was tried before.
   */
  sheds(opening: Opening, holding: Holding, now: Instant): boolean {
    if (this.#pressedBatch === CALM) return false;
    if (this.#tries.isSecond(opening, now)) return false;
    if (holding.openedIn === this.#pressedBatch) return true;
    holding.openedIn = this.#pressedBatch;
    return false;
  }

  /** Whether to drop this packet, which would open a connection: one in so many, and the first. */
  dropsPacket(): boolean {
    if (this.#dropRate === 0 || --this.#dropCounter > 0) return false;
    this.#dropCounter = this.#dropRate;
    return true;
  }
}

function modesOf({ drop_entry, drop_packet, secure_tcp }: Sysctls): Modes {
  return { drop_entry, drop_packet, secure_tcp };
}

function isFollowingMemory(mode: number): boolean {
  return mode === MODE.waiting || mode === MODE.active;
}
