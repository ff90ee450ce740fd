/**
 * Looks through the services for what keeps them from working (ipvs/diagnosis), a little at a time: with many servers most
 * of it is questions to the kernel about routes, and packets have their turn in between.
 */

import { familyOf, type ServicePlan } from "../../ipvs/desired/service.ts";
import { Arrivals, type SeenPackets } from "../../ipvs/diagnosis/arrivals.ts";
import { diagnose, type Facts } from "../../ipvs/diagnosis/diagnose.ts";
import { type Finding, identityOf } from "../../ipvs/diagnosis/finding.ts";
import type { Family } from "../../net/address.ts";
import type { HostNetwork } from "../host/host-network.ts";

/** Of one turn of the event loop. */
const SLICE_MS = 1;
/** Findings that are told one by one. */
const FINDINGS_MAX = 1_000;
/**
 * Silent neighbours that are asked for anew each time, so that one that is back is noticed without a packet for it: those that
 * were silent the last time, too, for whoever was asked for just now has been asked for as often as the host does.
 */
const ASKED_MAX = 16;

export interface ExaminerParts {
  readonly network: HostNetwork;
  readonly services: () => Iterable<ServicePlan>;
  /** What has been counted of first packets; undefined when nothing is. */
  readonly seen: (families: readonly Family[]) => Promise<SeenPackets | undefined>;
}

export interface Findings {
  readonly list: readonly Finding[];
  /** More that are not in the list. */
  readonly omitted: number;
}

export class Examiner implements Disposable {
  readonly #parts: ExaminerParts;
  readonly #arrivals = new Arrivals();
  #current: Promise<Findings> | undefined;
  /** Interfaces and addresses, as the last examination found them. */
  #silent: ReadonlySet<string> = new Set();
  #isOpen = true;

  constructor(parts: ExaminerParts) {
    this.#parts = parts;
  }

  /** What is wrong now. Who asks meanwhile gets the same answer. */
  examine(): Promise<Findings> {
    this.#current ??= this.#examine().finally(() => {
      this.#current = undefined;
    });
    return this.#current;
  }

  /** Ends what is under way. */
  [Symbol.dispose](): void {
    this.#isOpen = false;
  }

  async #examine(): Promise<Findings> {
    const { services, seen } = this.#parts;
    const plans = [...services()];
    const families = [...new Set(plans.map(({ key }) => familyOf(key)))];
    this.#arrivals.note((await seen(families)) ?? new Map());
    const silent = new Set<string>();
    const facts = this.#facts(silent);
    const found = new Map<string, Finding>();
    let omitted = 0;
    let until = performance.now() + SLICE_MS;
    for (const plan of plans) {
      if (!this.#isOpen) break;
      for (const finding of diagnose(plan, facts)) {
        const identity = identityOf(finding);
        if (found.size < FINDINGS_MAX) found.set(identity, finding);
        else if (!found.has(identity)) omitted++;
      }
      if (performance.now() < until) continue;
      await new Promise((resolve) => setImmediate(resolve));
      until = performance.now() + SLICE_MS;
    }
    this.#silent = silent;
    return { list: [...found.values()], omitted };
  }

  /** Adds to `silent` whoever is. */
  #facts(silent: Set<string>): Facts {
    const { network } = this.#parts;
    let asked = 0;
    return {
      isLocal: (address) => network.isLocal(address),
      route: (address) => network.route(address),
      isForwarding: (family) => network.isForwarding(family),
      isSilent: (interfaceIndex, nextHop) => {
        const isSilent = network.isSilent(interfaceIndex, nextHop);
        if (!isSilent) return false;
        const name = `${interfaceIndex} ${nextHop}`;
        silent.add(name);
        if (this.#silent.has(name) && asked++ < ASKED_MAX) {
          network.seekNeighbour(interfaceIndex, nextHop);
        }
        return true;
      },
      interfaceName: (index) => network.links.get(index)?.name,
      arrivals: this.#arrivals,
    };
  }
}
