/** Which tunnel options go with which tunnel type. */
import type { WireForwarding } from "../../control/wire.ts";
import type { Draft, TunnelType } from "./draft.ts";
import { mistake } from "./failure.ts";
import type { OptionName } from "./grammar.ts";

type TunnelOption = Extract<OptionName, `tun-${string}`>;

const TUNNEL_OPTIONS = [
  "tun-type",
  "tun-port",
  "tun-nocsum",
  "tun-csum",
  "tun-remcsum",
] as const satisfies readonly TunnelOption[];

interface TunnelLegality {
  readonly needs: readonly TunnelOption[];
  readonly takes: readonly TunnelOption[];
  readonly oneOf: readonly TunnelOption[];
}

// biome-ignore format: a table
const LEGALITY: Readonly<Record<TunnelType, TunnelLegality>> = {
  ipip: { needs: [],           takes: ["tun-type"], oneOf: [] },
  gue:  { needs: ["tun-port"], takes: ["tun-type"], oneOf: ["tun-nocsum", "tun-csum", "tun-remcsum"] },
  gre:  { needs: [],           takes: ["tun-type"], oneOf: ["tun-nocsum", "tun-csum"] },
};

/** The forwarding that `-i` and the tunnel options describe. */
export function tunnelOf(draft: Draft): WireForwarding {
  const { given, tunnelType: encapsulation, tunnelPort: port } = draft;
  checkTunnel(encapsulation, given);
  switch (encapsulation) {
    case "ipip":
      return { kind: "tunnel", encapsulation };
    case "gre":
      return { kind: "tunnel", encapsulation, checksum: given.has("tun-csum") ? "full" : "none" };
    case "gue":
      return { kind: "tunnel", encapsulation, port, checksum: gueChecksum(given) };
  }
}

export function hasTunnelOption({ given }: Draft): boolean {
  return TUNNEL_OPTIONS.some((option) => given.has(option));
}

function gueChecksum(given: ReadonlySet<OptionName>): "none" | "full" | "remote" {
  if (given.has("tun-remcsum")) return "remote";
  return given.has("tun-csum") ? "full" : "none";
}

/** In the order of the options, the first violation wins. */
function checkTunnel(type: TunnelType, given: ReadonlySet<OptionName>): void {
  const { needs, takes, oneOf } = LEGALITY[type];
  let taken: TunnelOption | undefined;
  for (const option of TUNNEL_OPTIONS) {
    if (!given.has(option)) {
      if (!needs.includes(option)) continue;
      throw mistake(`You need to supply the '${option}' option for the '${type}' tunnel type`);
    }
    if (oneOf.includes(option)) {
      if (taken !== undefined) {
        throw mistake(
          `The option '${option}' conflicts with the '${taken}' option in the '${type}' tunnel type`,
        );
      }
      taken = option;
    } else if (!needs.includes(option) && !takes.includes(option)) {
      throw mistake(`Illegal '${option}' option with the '${type}' tunnel type`);
    }
  }
}
