/** What is measured beside each other. */

export const TRAFFICS = ["known", "new"] as const;
export type Traffic = (typeof TRAFFICS)[number];

/** What agent.py measures, and how it is set up. */
export interface Variant {
  readonly name: string;
  readonly kind: "nothing" | "yardstick" | "ipvs" | "sluice";
  readonly method?: Method;
  /** Of `sluice daemon`. */
  readonly options?: readonly string[];
  readonly traffics: readonly Traffic[];
  /** The daemon hears of nothing while packets are sent: what is done in the kernel is left. */
  readonly isStopped?: boolean;
}

const METHODS = { route: "direct routing", masquerade: "NAT", tunnel: "tunnel" } as const;
export type Method = keyof typeof METHODS;
const HOOKS = ["tc", "xdp"] as const;
const ADMISSIONS = ["host", "wire"] as const;

export const ALONE = "the generator alone";

export const VARIANTS: readonly Variant[] = [
  { name: ALONE, kind: "nothing", traffics: TRAFFICS },
  { name: "yardstick: frames rewritten, no more", kind: "yardstick", traffics: TRAFFICS },
  ...(Object.keys(METHODS) as Method[]).flatMap((method) => [
    { name: `IPVS, ${METHODS[method]}`, kind: "ipvs" as const, method, traffics: TRAFFICS },
    ...HOOKS.flatMap((hook) =>
      ADMISSIONS.flatMap((admission): Variant[] => {
        const sluice = {
          name: `Sluice, ${hook}, ${admission}, ${METHODS[method]}`,
          kind: "sluice",
          method,
          options: ["--engine", "kernel", "--hook", hook, "--admission", admission],
          traffics: TRAFFICS,
        } as const;
        if (hook !== "tc" || method !== "route") return [sluice];
        const name = `${sluice.name}, its daemon stopped`;
        return [sluice, { ...sluice, name, traffics: ["new"], isStopped: true }];
      }),
    ),
  ]),
];
