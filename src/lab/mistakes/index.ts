/** Every mistake, in the order in which a learner meets them. */
import { arpAnnounce1 } from "./arp-announce-1.ts";
import { arpAnnounceMissing } from "./arp-announce-missing.ts";
import { arpIgnore3 } from "./arp-ignore-3.ts";
import { arpIgnoreMissing } from "./arp-ignore-missing.ts";
import { arpSysctlsOnLo } from "./arp-sysctls-on-lo.ts";
import { backupForwardsAgain } from "./backup-forwards-again.ts";
import { clientBesideServers } from "./client-beside-servers.ts";
import { conntrackHalf } from "./conntrack-half.ts";
import { firewallForward } from "./firewall-forward.ts";
import { fwmarkNotLocal } from "./fwmark-not-local.ts";
import { gatewayIsDirector } from "./gateway-is-director.ts";
import { gatewayNotDirector } from "./gateway-not-director.ts";
import { idleTimeout } from "./idle-timeout.ts";
import type { Mistake } from "./mistake.ts";
import { mtuIcmpBlocked } from "./mtu-icmp-blocked.ts";
import { noForwarding } from "./no-forwarding.ts";
import { noVipOnDirector } from "./no-vip-on-director.ts";
import { otherPort } from "./other-port.ts";
import { persistence } from "./persistence.ts";
import { ripNotOnLink } from "./rip-not-on-link.ts";
import { ripOnlyListener } from "./rip-only-listener.ts";
import { rpFilterOnTunnel } from "./rp-filter-on-tunnel.ts";
import { serverUnplugged } from "./server-unplugged.ts";
import { staleArp } from "./stale-arp.ts";
import { sysctlAfterVip } from "./sysctl-after-vip.ts";
import { testFromDirector } from "./test-from-director.ts";
import { vipDown } from "./vip-down.ts";
import { vipOnEth0 } from "./vip-on-eth0.ts";
import { vipSlash24 } from "./vip-slash-24.ts";
import { webServerDown } from "./web-server-down.ts";
import { weight0 } from "./weight-0.ts";

export const MISTAKES: readonly Mistake[] = [
  noVipOnDirector,
  vipDown,
  arpIgnoreMissing,
  arpSysctlsOnLo,
  arpIgnore3,
  arpAnnounceMissing,
  arpAnnounce1,
  sysctlAfterVip,
  vipSlash24,
  vipOnEth0,
  staleArp,
  webServerDown,
  ripOnlyListener,
  otherPort,
  gatewayIsDirector,
  ripNotOnLink,
  serverUnplugged,
  firewallForward,
  conntrackHalf,
  testFromDirector,
  backupForwardsAgain,
  persistence,
  fwmarkNotLocal,
  weight0,
  idleTimeout,
  gatewayNotDirector,
  clientBesideServers,
  noForwarding,
  rpFilterOnTunnel,
  mtuIcmpBlocked,
];
