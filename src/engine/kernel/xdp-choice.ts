/** How a program may run at an interface at XDP, and why not better: docs/decisions/0023-xdp-by-choice.md */
import type { Link } from "../host/links.ts";
import type { XdpFeatures } from "../host/xdp-features.ts";

/** In the driver, or before any protocol, on a socket buffer. */
export type XdpMode = "native" | "generic";

export interface XdpChoice {
  /** Best first; none: it stays at tc. */
  readonly modes: readonly XdpMode[];
  /** Undefined: nothing is in the way of the best. */
  readonly why: string | undefined;
}

type XdpLink = Pick<Link, "index" | "kind" | "lower">;

const VLANS = "interfaces of VLANs lie over it, whose tags its card may take out of frames";
const OTHER_END =
  "the other end of this veth takes no frames of drivers': it has neither an XDP program nor GRO (ethtool -K DEV gro on)";
const BY_PORTS = "its frames come by its ports";
const NO_DRIVER = "its driver runs none";
const UNTOLD = "the kernel does not tell what it can do (before Linux 6.3)";

/** `features`: by interface; undefined where the kernel does not tell. */
export function chooseXdp(
  { index, kind }: XdpLink,
  links: Iterable<XdpLink>,
  features: ReadonlyMap<number, XdpFeatures> | undefined,
): XdpChoice {
  for (const other of links) {
    if (other.kind === "vlan" && other.lower === index) return { modes: [], why: VLANS };
  }
  if (kind === "bond" || kind === "team") return generic(BY_PORTS);
  if (features === undefined) return kind === undefined ? native() : generic(UNTOLD);
  const { runs, sends } = features.get(index) ?? { runs: false, sends: false };
  if (!runs) return generic(NO_DRIVER);
  return kind === "veth" && !sends ? generic(OTHER_END) : native();
}

function native(): XdpChoice {
  return { modes: ["native", "generic"], why: undefined };
}

function generic(why: string): XdpChoice {
  return { modes: ["generic"], why };
}
