/** What is measured beside each other. */

export const GENERATORS = ["pktgen", "frames"] as const;
/** The kernel's own, of socket buffers; or one of frames as drivers have them. */
export type Generator = (typeof GENERATORS)[number];
export const TRAFFICS = ["known", "new"] as const;
export type Traffic = (typeof TRAFFICS)[number];

/** What agent.py measures, and how it is set up. */
export interface Variant {
  readonly generator: Generator;
  readonly name: string;
  readonly kind: "driver" | "nothing" | "yardstick" | "ipvs" | "sluice";
  readonly method?: Method;
  readonly hook?: Hook;
  readonly admission?: "host" | "wire";
  readonly traffics: readonly Traffic[];
  /** The daemon hears of nothing while packets are sent: what is done in the kernel is left. */
  readonly isStopped?: boolean;
}

const METHODS = { route: "direct routing", masquerade: "NAT", tunnel: "tunnel" } as const;
export type Method = keyof typeof METHODS;
const HOOKS = ["tc", "xdp"] as const;
type Hook = (typeof HOOKS)[number];
const ADMISSIONS = ["host", "wire"] as const;

export const ALONE = "the generator alone";
const SOCKET_BUFFERS = "socket buffers made, no more";

export const VARIANTS: readonly Variant[] = GENERATORS.flatMap((generator) => [
  ...(generator === "pktgen"
    ? [variant({ generator, name: ALONE, kind: "nothing" })]
    : [
        variant({ generator, name: ALONE, kind: "driver" }),
        variant({ generator, name: SOCKET_BUFFERS, kind: "nothing" }),
      ]),
  ...HOOKS.map((hook) => {
    const name = `yardstick, ${hook}: frames rewritten, no more`;
    return variant({ generator, name, kind: "yardstick", hook });
  }),
  ...(Object.keys(METHODS) as Method[]).flatMap((method) => [
    variant({ generator, name: `IPVS, ${METHODS[method]}`, kind: "ipvs", method }),
    ...HOOKS.flatMap((hook) => sluices(generator, method, hook)),
  ]),
]);

function sluices(generator: Generator, method: Method, hook: Hook): Variant[] {
  // Socket buffers at XDP are a matter of veth's.
  const isTakenApart = method === "route" && (hook === "tc" || generator === "frames");
  return ADMISSIONS.flatMap((admission) => {
    const name = `Sluice, ${hook}, ${admission}, ${METHODS[method]}`;
    const sluice = variant({ generator, name, kind: "sluice", method, hook, admission });
    if (!isTakenApart) return [sluice];
    const stopped = `${name}, its daemon stopped`;
    return [sluice, { ...sluice, name: stopped, traffics: ["new"], isStopped: true }];
  });
}

/** Or all are thrown away at the director's door. */
export function isForwarded({ kind }: Variant): boolean {
  return kind !== "driver" && kind !== "nothing";
}

function variant(settings: Omit<Variant, "traffics">): Variant {
  return { ...settings, traffics: TRAFFICS };
}
