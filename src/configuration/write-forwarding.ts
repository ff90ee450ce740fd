/** The way back from how packets reach a server to how a file says it. */
import type { Forwarding } from "../ipvs/desired/service.ts";
import type { ForwardingContent } from "./schema.ts";

export function forwardingContent(forwarding: Forwarding): ForwardingContent {
  if (forwarding.kind !== "tunnel") return forwarding.kind;
  switch (forwarding.encapsulation) {
    case "ipip":
      return "tunnel";
    case "gre":
      return { tunnel: "gre", checksum: forwarding.checksum };
    case "gue":
      return { tunnel: "gue", port: forwarding.port, checksum: forwarding.checksum };
  }
}
