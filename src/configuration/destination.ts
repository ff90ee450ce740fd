/** One destination as the director wants it, from what the file says with its defaults. */
import type { Forwarding } from "../ipvs/desired/service.ts";
import type { WantedDestination } from "../ipvs/desired/wanted.ts";
import { Address } from "../net/address.ts";
import { type Port, toPort } from "../net/port.ts";
import type { DestinationContent, ForwardingContent } from "./schema.ts";

/** `servicePort` is the port of a destination that says none. */
export function wantedDestination(
  content: DestinationContent,
  servicePort: Port,
): WantedDestination {
  const { address, port, forwarding = "route", weight } = content;
  return {
    endpoint: {
      address: Address.parse(address)!,
      port: port === undefined ? servicePort : toPort(port),
    },
    forwarding: wantedForwarding(forwarding),
    weight,
    upperThreshold: content.upperThreshold ?? 0,
    lowerThreshold: content.lowerThreshold ?? 0,
  };
}

function wantedForwarding(content: ForwardingContent): Forwarding {
  if (content === "tunnel") return { kind: "tunnel", encapsulation: "ipip" };
  if (typeof content === "string") return { kind: content };
  const kind = "tunnel";
  switch (content.tunnel) {
    case "ipip":
      return { kind, encapsulation: "ipip" };
    case "gre":
      return { kind, encapsulation: "gre", checksum: content.checksum ?? "none" };
    case "gue": {
      const { port, checksum = "none" } = content;
      return { kind, encapsulation: "gue", port: toPort(port), checksum };
    }
  }
}
