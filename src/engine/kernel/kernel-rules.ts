/** By what the programs go: the director's tables and knobs, which protocols they carry, in which generation packets were let in. */

import { UDP_STATE } from "../../ipvs/connections/udp-state.ts";
import type { OffloadRules } from "../../ipvs/offload.ts";
import { MONOTONIC_CLOCK } from "../host/system/monotonic-clock.ts";
import { settings } from "./abi.ts";
import type { KernelMaps } from "./kernel-maps.ts";
import { Question } from "./libbpf.ts";

/** CARRIES_TCP and CARRIES_UDP in bpf/abi/. */
export const CARRIES = { tcp: 1, udp: 2, all: 3 } as const;

const GENERATION_END = 0xffff_ffff;

/** What part of the table may be half open before only the director opens connections, who has others give way. */
const HALF_OPEN_PART = 3 / 4;

/** How long nobody may look before the programs end connections themselves: longer than a daemon that lives is ever away. */
const ATTENDED_MS = 5_000;
const NANOSECONDS = 1e6;
/** A program that is asked gets a frame, which has an Ethernet header at least. */
const NO_QUESTION = 14;

export interface KernelRulesParts {
  readonly maps: KernelMaps;
  readonly connectionsMax: number;
  /** Whether the programs can tell whose each connection is. */
  readonly isWhole: () => boolean;
}

export class KernelRules {
  readonly #parts: KernelRulesParts;
  readonly #halfOpenMax: number;
  #rules: OffloadRules | undefined;
  #atCard: number = CARRIES.all;
  #generation = 0;
  #isExpiryBegun = false;

  constructor(parts: KernelRulesParts) {
    this.#parts = parts;
    this.#halfOpenMax = Math.ceil(parts.connectionsMax * HALF_OPEN_PART);
    const { maps } = parts;
    if (maps.isInherited)
      this.#generation = maps.settings.view.getUint32(settings.generation, true);
  }

  get generation(): number {
    return this.#generation;
  }

  /** What is told while an earlier process's rules are still in force is kept for enforce(). */
  follow(rules: OffloadRules): void {
    this.#rules = rules;
  }

  /** Which protocols' packets are forwarded where they arrive. As follow(). */
  forwardAtCard(protocols: number): void {
    this.#atCard = protocols;
  }

  /** What was told is in force from now on. */
  enforce(): void {
    if (this.#rules !== undefined) this.#write(this.#rules);
    this.enforceCarried();
  }

  enforceCarried(): void {
    const rules = this.#rules;
    const isFiltered = rules === undefined || rules.sysctls.conntrack !== 0;
    const carried = isFiltered ? 0 : CARRIES.all;
    this.#set("carried", carried);
    this.#set("atCard", this.#atCard);
    const isHeld = rules?.isOpeningHeld === true || !this.#parts.isWhole();
    this.#set("opened", isHeld ? 0 : carried);
  }

  /** Connections are opened where packets arrive, before the host's firewall. */
  setOpensOnWire(opensOnWire: boolean): void {
    this.#set("opensOnWire", opensOnWire ? 1 : 0);
  }

  beginGeneration(): void {
    this.#generation = this.#generation + 1 === GENERATION_END ? 1 : this.#generation + 1;
    this.#set("generation", this.#generation);
  }

  /** To be called from time to time: while it is, the director ends connections, and else the programs do. */
  attend(forMs: number = ATTENDED_MS): void {
    const { maps } = this.#parts;
    const until = BigInt(Math.round((MONOTONIC_CLOCK.now() + forMs) * NANOSECONDS));
    maps.settings.view.setBigUint64(settings.attendedUntil, until, true);
    if (this.#isExpiryBegun) return;
    using question = new Question(NO_QUESTION);
    this.#isExpiryBegun = maps.ask(question, "begin_expiry") === true;
  }

  #write({ tcp, udp, sysctls }: OffloadRules): void {
    const { view, bytes } = this.#parts.maps.settings;
    this.#set("reuseMode", sysctls.conn_reuse_mode);
    this.#set("expiresNodest", sysctls.expire_nodest_conn);
    this.#set("expiresQuiescent", sysctls.expire_quiescent_template);
    this.#set("copiesDontFragment", sysctls.pmtu_disc);
    this.#set("isSloppy", sysctls.sloppy_tcp);
    this.#set("halfOpenMax", this.#halfOpenMax);
    this.#set("udpTimeout", udp.timeoutMs(UDP_STATE.normal));
    this.#set("activeStates", tcp.activeStates);
    for (let state = 0; state < tcp.count; state++) {
      view.setUint32(settings.timeouts + 4 * state, tcp.timeoutMs(state), true);
    }
    bytes.set(tcp.compiled, settings.states);
  }

  #set(name: keyof typeof settings, value: number): void {
    this.#parts.maps.settings.view.setUint32(settings[name], value, true);
  }
}
