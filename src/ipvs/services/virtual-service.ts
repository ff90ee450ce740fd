import { prng } from "../../base/prng.ts";
import { Address } from "../../net/address.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { Holding } from "../defence/holding.ts";
import {
  formatServiceKey,
  SCHEDULER_FLAG,
  type ServiceKey,
  type ServicePlan,
} from "../desired/service.ts";
import type { Host } from "../host.ts";
import { SCHEDULERS } from "../schedulers/index.ts";
import type { Scheduler, SchedulerEvent, SchedulerSysctls } from "../schedulers/scheduler.ts";
import type { Destination } from "./destination.ts";
import type { ServiceMirror } from "./service-table.ts";
import { Traffic } from "./statistics.ts";

/** A packet whose destination is asked about: as words, and whole. */
export interface LocalityQuestion {
  readonly destination0: number;
  readonly destination1: number;
  readonly destination2: number;
  readonly destination3: number;
  readonly destination: Address;
}

const NOBODY = Address.inet6(0, 0, 0, 0);

/** A service at work: its plan, its scheduler's state and its destinations. The kernel's struct ip_vs_service. */
export class VirtualService {
  readonly key: ServiceKey;
  readonly keyText: string;
  readonly traffic = new Traffic();
  readonly holding = new Holding();
  /** 0 for a firewall mark: it takes every protocol. */
  readonly protocol: number;
  /** 0 for a firewall mark and for "any port". */
  readonly port: number;
  readonly mark: number;
  plan: ServicePlan;
  /** Newest first: the order in which schedulers see them. */
  destinations: readonly Destination[] = [];
  readonly #sysctls: () => SchedulerSysctls;
  readonly #mirror: Pick<ServiceMirror, "schedulerOf"> | undefined;
  #scheduler: Scheduler<Destination>;
  /** Somebody else's. */
  #isForeign = false;
  #isLocal = false;
  #localGeneration = -1;
  #asked = NOBODY;

  constructor(
    plan: ServicePlan,
    sysctls: () => SchedulerSysctls,
    mirror?: Pick<ServiceMirror, "schedulerOf">,
  ) {
    this.#mirror = mirror;
    const { key } = plan;
    this.key = key;
    this.keyText = formatServiceKey(key);
    this.protocol = key.kind === "mark" ? 0 : IP_PROTOCOL[key.protocol];
    this.port = key.kind === "mark" ? 0 : key.endpoint.port;
    this.mark = key.kind === "mark" ? key.mark : 0;
    this.plan = plan;
    this.#sysctls = sysctls;
    this.#scheduler = this.#create();
  }

  get scheduler(): Scheduler<Destination> {
    return this.#scheduler;
  }

  /** Takes a new record over. Another scheduler, or other flags of its, begins with fresh state. */
  update(plan: ServicePlan): void {
    const before = this.plan;
    const wasForeign = this.#isForeign;
    const scheduler = this.#scheduler;
    this.plan = plan;
    this.#scheduler = this.#create();
    const isSame =
      plan.scheduler === before.scheduler && plan.schedulerFlags === before.schedulerFlags;
    if (isSame && wasForeign === this.#isForeign) {
      this.#scheduler = scheduler;
      return;
    }
    this.notify("bound");
    const { turn } = scheduler;
    if (isSame && turn !== undefined) this.#scheduler.resume?.(turn, this.destinations);
  }

  #create(): Scheduler<Destination> {
    const foreign = this.#mirror?.schedulerOf(this);
    this.#isForeign = foreign !== undefined;
    return foreign ?? schedulerOf(this.plan, this.#sysctls);
  }

  /**
   * Whether the packet's destination is the host's own, without which the kernel would not hand it to IPVS. Asked once
   * for an address until the host's addresses change; a firewall mark may come with many.
   */
  isLocal(packet: LocalityQuestion, host: Host): boolean {
    if (this.#localGeneration !== host.generation || !this.#isSameQuestion(packet)) {
      const { destination } = packet;
      this.#isLocal = host.isLocal(destination);
      this.#localGeneration = host.generation;
      this.#asked = destination;
    }
    return this.#isLocal;
  }

  #isSameQuestion(packet: LocalityQuestion): boolean {
    if (this.mark === 0) return true;
    const { w0, w1, w2, w3 } = this.#asked;
    return (
      packet.destination3 === w3 &&
      packet.destination2 === w2 &&
      packet.destination1 === w1 &&
      packet.destination0 === w0
    );
  }

  /** Goes on as `other` would, whose destinations these are counterparts of. */
  scheduleAs(other: VirtualService, counterpart: (of: Destination) => Destination): void {
    this.#scheduler = other.#scheduler.copy?.(counterpart) ?? this.#scheduler;
  }

  notify(event: SchedulerEvent, which?: Destination): void {
    this.#scheduler.changed?.(event, this.destinations, which);
  }
}

function schedulerOf(
  { key, scheduler, schedulerFlags }: ServicePlan,
  sysctls: () => SchedulerSysctls,
): Scheduler<Destination> {
  return SCHEDULERS[scheduler]<Destination>({
    fallback: (schedulerFlags & SCHEDULER_FLAG.fallback) !== 0,
    port: (schedulerFlags & SCHEDULER_FLAG.port) !== 0,
    sysctls,
    // Few ask for it.
    get prng() {
      return prng(seedOf(formatServiceKey(key)));
    },
  });
}

/** A service's own chance, the same in every run, so that a run replays. FNV-1a over its key. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash;
}
