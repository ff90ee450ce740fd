/** How VIPs are told of: what stands, and as findings those that are not there. */
import { unreachable } from "../base/unreachable.ts";
import type { VipStand, VipStatus } from "../engine/host/vips/vip-status.ts";
import { formatVip } from "../ipvs/desired/vip.ts";
import type { StatusFinding, StatusVip } from "./messages.ts";

export function vipToStatus({ plan, stand, since, isOwn, ...rest }: VipStatus): StatusVip {
  return {
    address: plan.address.toString(),
    prefixLength: plan.prefixLength,
    interface: plan.interfaceName,
    label: plan.label ?? null,
    stand: stand ?? "unknown",
    since: since?.toISOString() ?? null,
    own: isOwn,
    announcedAt: rest.announcedAt?.toISOString() ?? null,
  };
}

export function vipFindings(vips: readonly VipStatus[]): StatusFinding[] {
  return vips.flatMap(({ plan, stand, since, why }) => {
    if (stand === undefined || stand === "there") return [];
    const about = `VIP ${formatVip(plan)}`;
    const [says, remedy] = wordsFor(stand, plan.interfaceName, why);
    return [
      { code: "vip-missing", about, says, remedy, since: (since ?? new Date()).toISOString() },
    ];
  });
}

function wordsFor(
  stand: Exclude<VipStand, "there">,
  name: string,
  why: string | undefined,
): readonly [says: string, remedy: string] {
  switch (stand) {
    case "no-interface":
      return [
        `there is no interface ${name}`,
        "bring it up, or name another in the file: the VIP is added when it comes",
      ];
    case "interface-down":
      return [`the interface ${name} is down`, `ip link set ${name} up`];
    case "taken-away":
      return [
        "another hand took it away",
        "sluice apply puts it back; with 'drift: reconcile' in the file that happens by itself",
      ];
    case "refused":
      return [
        `the kernel does not take it: ${why}`,
        `see what hinders it, such as net.ipv6.conf.${name}.disable_ipv6: it is tried again each second`,
      ];
    default:
      return unreachable(stand);
  }
}
