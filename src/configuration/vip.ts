/** A VIP as the director wants it, from what the file says. */
import { millisecondsOf } from "../base/period.ts";
import { ANNOUNCING_DEFAULT, type Announcing, type VipPlan } from "../ipvs/desired/vip.ts";
import { parsePrefix } from "../net/prefix.ts";
import type { VipContent } from "./schema.ts";

export function wantedVip(content: VipContent): VipPlan {
  const { address, length } = parsePrefix(content.address)!;
  return {
    address,
    prefixLength: length,
    interfaceName: content.interface,
    label: content.label,
    announcing: announcingOf(content.announce ?? true),
  };
}

function announcingOf(content: NonNullable<VipContent["announce"]>): Announcing | undefined {
  if (content === false) return undefined;
  if (content === true) return ANNOUNCING_DEFAULT;
  const { count = ANNOUNCING_DEFAULT.count, again, refresh } = content;
  return {
    count,
    againMs: again === undefined ? ANNOUNCING_DEFAULT.againMs : msOf(again),
    refreshMs: refresh === undefined ? ANNOUNCING_DEFAULT.refreshMs : msOf(refresh),
  };
}

function msOf(value: number | string): number {
  return value === 0 ? 0 : millisecondsOf(value);
}

/** The way back. */
export function vipContent(plan: VipPlan): VipContent {
  const { address, prefixLength, label, announcing } = plan;
  const bits = address.family === "inet" ? 32 : 128;
  const text = address.toString();
  const announce = announceContent(announcing);
  return {
    address: prefixLength === bits ? text : `${text}/${prefixLength}`,
    interface: plan.interfaceName,
    ...(label === undefined ? {} : { label }),
    ...(announce === undefined ? {} : { announce }),
  };
}

function announceContent(announcing: Announcing | undefined): VipContent["announce"] {
  if (announcing === undefined) return false;
  const { count, againMs, refreshMs } = announcing;
  const content = {
    ...(count === ANNOUNCING_DEFAULT.count ? {} : { count }),
    ...(againMs === ANNOUNCING_DEFAULT.againMs ? {} : { again: againMs / 1_000 }),
    ...(refreshMs === ANNOUNCING_DEFAULT.refreshMs ? {} : { refresh: refreshMs / 1_000 }),
  };
  return Object.keys(content).length === 0 ? undefined : content;
}
