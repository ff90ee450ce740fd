/** What a VIP's keeper tells of it. */
import type { VipPlan } from "../../../ipvs/desired/vip.ts";

/** "refused": the kernel does not take it. */
export type VipStand = "there" | "no-interface" | "interface-down" | "taken-away" | "refused";

export interface VipStatus {
  readonly plan: VipPlan;
  /** Undefined before the first look. */
  readonly stand: VipStand | undefined;
  readonly since: Date | undefined;
  /** False for one that was there before. */
  readonly isOwn: boolean;
  readonly why: string | undefined;
  readonly announcedAt: Date | undefined;
}

export interface VipNews {
  readonly what: "added" | "removed" | "put-back" | Exclude<VipStand, "there">;
  /** `192.0.2.10/32 on eth0`. */
  readonly vip: string;
  readonly why: string | undefined;
}
