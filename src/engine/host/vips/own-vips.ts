/** The VIPs that are on the host because Sluice added them: these it may remove, and no others. */
import type { VipPlan } from "../../../ipvs/desired/vip.ts";
import { Address } from "../../../net/address.ts";

export interface OwnVip {
  readonly address: string;
  readonly prefixLength: number;
  readonly interface: string;
  /** An interface that was made anew has another, and none of the addresses of the one before. */
  readonly interfaceIndex: number;
  readonly label: string | null;
}

/** Where they are noted, for a daemon that starts after this one was killed. Neither rejects: what fails is told. */
export interface VipNote {
  read(): Promise<readonly OwnVip[]>;
  write(own: readonly OwnVip[]): Promise<void>;
}

export class OwnVips {
  readonly #note: VipNote;
  readonly #own: Map<string, OwnVip>;
  /** What is noted is not what is known. */
  #isStale = false;

  private constructor(note: VipNote, own: readonly OwnVip[]) {
    this.#note = note;
    this.#own = new Map(own.map((each) => [each.address, each]));
  }

  static async read(note: VipNote): Promise<OwnVips> {
    return new OwnVips(note, await note.read());
  }

  get(text: string): OwnVip | undefined {
    return this.#own.get(text);
  }

  /** The last one first: an address that came later may go with one that came before. */
  lastFirst(): OwnVip[] {
    return [...this.#own.values()].toReversed();
  }

  /** Before they are added: one that is killed between the two has noted too much, never too little. */
  async willAdd(
    all: readonly { readonly plan: VipPlan; readonly interfaceIndex: number }[],
  ): Promise<void> {
    for (const { plan, interfaceIndex } of all) {
      const address = plan.address.toString();
      this.#own.delete(address);
      this.#isStale = true;
      this.#own.set(address, {
        address,
        prefixLength: plan.prefixLength,
        interface: plan.interfaceName,
        interfaceIndex,
        label: plan.label ?? null,
      });
    }
    await this.write();
  }

  /** Not any more. The caller has it written. */
  forget(text: string): void {
    if (this.#own.delete(text)) this.#isStale = true;
  }

  async write(): Promise<void> {
    if (!this.#isStale) return;
    this.#isStale = false;
    await this.#note.write([...this.#own.values()]);
  }
}

/** Whether what stands there is what is wanted. */
export function isAsWanted(own: OwnVip, plan: VipPlan): boolean {
  return (
    own.prefixLength === plan.prefixLength &&
    own.interface === plan.interfaceName &&
    own.label === (plan.label ?? null)
  );
}

export function placeOf({ address, prefixLength, interfaceIndex }: OwnVip): {
  readonly address: Address;
  readonly prefixLength: number;
  readonly interfaceIndex: number;
} {
  return { address: Address.parse(address)!, prefixLength, interfaceIndex };
}
