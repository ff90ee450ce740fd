/** What keeps a service from working that no command refuses: facts, and one place that words them. */
import { unreachable } from "../../base/unreachable.ts";
import type { Address, Family } from "../../net/address.ts";
import { formatServiceKey, type ServiceKey } from "../desired/service.ts";

export type Finding =
  | {
      readonly code: "vip-not-local";
      readonly service: ServiceKey;
      readonly address: Address;
      /** Where its network is, if it is on one of the host's. */
      readonly interfaceName: string | undefined;
    }
  | { readonly code: "not-forwarding"; readonly family: Family }
  | { readonly code: "no-route"; readonly service: ServiceKey; readonly server: Address }
  | {
      readonly code: "neighbour-silent";
      readonly service: ServiceKey;
      readonly server: Address;
      readonly nextHop: Address;
      readonly interfaceName: string;
    }
  | { readonly code: "filtered"; readonly service: ServiceKey; readonly packets: number }
  | { readonly code: "local-client"; readonly service: ServiceKey };

export interface Wording {
  /** A service, a server of one, or the host. */
  readonly about: string;
  readonly says: string;
  readonly remedy: string;
}

/** Equal text for what is one and the same trouble, however its facts have moved on. */
export function identityOf(finding: Finding): string {
  return `${finding.code} ${wordingOf(finding).about}`;
}

export function wordingOf(finding: Finding): Wording {
  switch (finding.code) {
    case "vip-not-local": {
      const { address, interfaceName = "INTERFACE" } = finding;
      const length = address.family === "inet" ? 32 : 128;
      return {
        about: formatServiceKey(finding.service),
        says: `${address} is no address of this host, and no local route makes it one: no packet reaches the service`,
        remedy: `ip address add ${address}/${length} dev ${interfaceName}`,
      };
    }
    case "not-forwarding": {
      const [name, knob] =
        finding.family === "inet"
          ? ["IPv4", "net.ipv4.ip_forward"]
          : ["IPv6", "net.ipv6.conf.all.forwarding"];
      return {
        about: `${name} services with -m`,
        says: `this host does not forward ${name} packets: what masqueraded servers answer does not reach the clients`,
        remedy: `sysctl -w ${knob}=1`,
      };
    }
    case "no-route":
      return {
        about: `${formatServiceKey(finding.service)} -> ${finding.server}`,
        says: `no route leads to the server ${finding.server}`,
        remedy: `add one; 'ip route get ${finding.server}' tells when there is`,
      };
    case "neighbour-silent": {
      const { server, nextHop, interfaceName } = finding;
      const isGateway = nextHop.toString() !== server.toString();
      const who = isGateway
        ? `the gateway ${nextHop} to the server ${server}`
        : `the server ${server}`;
      const question = nextHop.family === "inet" ? "ARP" : "neighbour discovery";
      return {
        about: `${formatServiceKey(finding.service)} -> ${server}`,
        says: `${who} does not answer ${question} on ${interfaceName}`,
        remedy: `see that it is up and on that link; 'ip neighbour show ${nextHop}' tells what is known of it`,
      };
    }
    case "filtered":
      return {
        about: formatServiceKey(finding.service),
        says: `${finding.packets} first packets of clients arrived, and none came as far as the input hook: a firewall rule of this host drops or redirects them, or its reverse path filter`,
        remedy:
          "look for it with 'nft list ruleset', 'iptables-save' and 'nstat -az TcpExtIPReversePathFilter'",
      };
    case "local-client":
      return {
        about: formatServiceKey(finding.service),
        says: "a client on this host itself asks it: what a server of direct routing or a tunnel answers never reaches that one, because the service's address is also the server's own",
        remedy: "test from another host, or use -m",
      };
    default:
      return unreachable(finding);
  }
}
