/** Names as the guest knows them: /etc/services is the host's own, and localhost is the only host. */
import { SystemNames } from "../../../src/cli/ipvsadm/names.ts";
import type { Names } from "../../../src/cli/ipvsadm/naming.ts";
import { Address } from "../../../src/net/address.ts";

const system = new SystemNames();

export const GUEST_NAMES: Names = {
  addressOf: async (host) => (host === "localhost" ? Address.parse("127.0.0.1") : undefined),
  hostOf: async (address) => (isLocalhost(address.toString()) ? "localhost" : undefined),
  portOf: (service, protocol) => system.portOf(service, protocol),
  serviceOf: (port, protocol) => system.serviceOf(port, protocol),
};

function isLocalhost(address: string): boolean {
  return address === "127.0.0.1" || address === "::1";
}
