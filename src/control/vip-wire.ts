/** VIPs as plain JSON: what the API speaks and what the state file holds. */
import { LbError } from "../ipvs/desired/errors.ts";
import {
  type Announcing,
  NO_VIPS,
  type VipPlan,
  type VipPlans,
  withVips,
} from "../ipvs/desired/vip.ts";
import { Address } from "../net/address.ts";
import type { StateFileError } from "./state-file-error.ts";

export interface WireVip {
  readonly address: string;
  readonly prefixLength: number;
  readonly interface: string;
  readonly label: string | null;
  /** Null: nobody is told. */
  readonly announce: Announcing | null;
}

export function vipToWire(plan: VipPlan): WireVip {
  const { address, prefixLength, interfaceName, label, announcing } = plan;
  return {
    address: address.toString(),
    prefixLength,
    interface: interfaceName,
    label: label ?? null,
    announce: announcing ?? null,
  };
}

export function vipFromWire({ address, prefixLength, label, announce, ...wire }: WireVip): VipPlan {
  const parsed = Address.parse(address);
  if (parsed === undefined) throw new TypeError(`Met ${JSON.stringify(address)} as an address`);
  return {
    address: parsed,
    prefixLength,
    interfaceName: wire.interface,
    label: label ?? undefined,
    announcing: announce ?? undefined,
  };
}

/** Throws what `unusable` makes of what no VIP can have. */
export function vipsOf(
  rows: readonly WireVip[],
  unusable: (why: string) => StateFileError,
): VipPlans {
  try {
    return withVips(NO_VIPS, rows.map(vipFromWire), false);
  } catch (error) {
    if (error instanceof LbError) throw unusable(`vips: ${error.message}`);
    throw error;
  }
}
