/** The scheduler twos, which decides by chance: how many connections each server gets, not which. */
import {
  type Case,
  type CaseFile,
  ipvsadm,
  packet,
  restore,
  SERVICES,
  type Step,
} from "../case.ts";
import { type Loaded, sharesOfFixedLoads, sharesOfGrowingLoads } from "./twos-model.ts";

const GROUP = "twos";

interface Plan {
  readonly weight: number;
  /** Connections that it has before. */
  readonly load?: number;
  /** The upper threshold. */
  readonly upper?: number;
}

/** Servers in the order in which they are added. */
type Scenario = Readonly<Record<string, readonly Plan[]>>;

/** Datagrams that are each scheduled and leave nothing behind. */
// biome-ignore format: a table
const FIXED: Scenario = {
  "equal weights":                    [{ weight: 1 }, { weight: 1 }, { weight: 1 }],
  "equal weights of 100":             [{ weight: 100 }, { weight: 100 }, { weight: 100 }],
  "weights 1 2 4":                    [{ weight: 1 }, { weight: 2 }, { weight: 4 }],
  "weights 4 2 1":                    [{ weight: 4 }, { weight: 2 }, { weight: 1 }],
  "weights 3 0 5":                    [{ weight: 3 }, { weight: 0 }, { weight: 5 }],
  "the newest has weight 0":          [{ weight: 2 }, { weight: 2 }, { weight: 0 }],
  "equal weights and loads":          [{ weight: 5, load: 4 }, { weight: 5, load: 4 }],
  "loads 9 5 0":                      [{ weight: 10, load: 9 }, { weight: 10, load: 5 }, { weight: 10 }],
  "loads 0 5 9":                      [{ weight: 10 }, { weight: 10, load: 5 }, { weight: 10, load: 9 }],
  "loads in proportion to weights":   [{ weight: 10, load: 3 }, { weight: 20, load: 6 }, { weight: 40, load: 12 }],
  "loads not in proportion":          [{ weight: 10, load: 3 }, { weight: 20, load: 7 }, { weight: 40, load: 11 }],
  "the oldest is full":               [{ weight: 8, load: 3, upper: 3 }, { weight: 8 }, { weight: 4 }],
  "the newest is full":               [{ weight: 8 }, { weight: 4 }, { weight: 8, load: 3, upper: 3 }],
};

/** Connections that stay, so that each draw depends on those before. */
// biome-ignore format: a table
const GROWING: Scenario = {
  "equal weights":                    [{ weight: 1 }, { weight: 1 }, { weight: 1 }],
  "weights 1 2 4":                    [{ weight: 1 }, { weight: 2 }, { weight: 4 }],
  "weights 10 20 70":                 [{ weight: 10 }, { weight: 20 }, { weight: 70 }],
  "a threshold":                      [{ weight: 10 }, { weight: 20 }, { weight: 20, upper: 40 }],
};

/** So many draws show a chance of a fifth to within a tenth of it. */
const DATAGRAMS = 2000;
const CONNECTIONS = 300;

const server = (index: number): string => `192.168.150.${21 + index}`;

function fixedCase([name, plans]: [string, readonly Plan[]]): Case {
  const edit = (index: number, options: string): string =>
    `-e -u VIP:80 -r ${server(index)}:80 ${options}`;
  return {
    group: GROUP,
    name: `one packet each, ${name}`,
    compare: "shares",
    sysctls: {},
    needs: { module: "ip_vs_twos" },
    shares: sharesOfFixedLoads(plans.map(loaded).toReversed(), DATAGRAMS),
    steps: [
      restore(
        "-A -u VIP:80 -s rr",
        ...plans.map((_, index) => `-a -u VIP:80 -r ${server(index)}:80 -w 0`),
      ),
      ...plans.flatMap(({ load = 0 }, index): Step[] => {
        if (load === 0) return [];
        const port = 1000 + 100 * index;
        return [
          restore(edit(index, "-w 1")),
          ...datagrams(load, port),
          restore(edit(index, "-w 0")),
        ];
      }),
      restore(
        ...plans.map(({ weight, upper = 0 }, index) => edit(index, `-w ${weight} -x ${upper}`)),
      ),
      SERVICES,
      ipvsadm("-E -u VIP:80 -s twos -o"),
      ...datagrams(DATAGRAMS, 2000),
    ],
  };
}

function datagrams(count: number, fromPort: number): Step[] {
  return Array.from({ length: count }, (_, index) =>
    packet(`udp CLIENT:${fromPort + index} > VIP:80 length=4`),
  );
}

function growingCase([name, plans]: [string, readonly Plan[]]): Case {
  return {
    group: GROUP,
    name: `connections that stay, ${name}`,
    compare: "shares",
    sysctls: {},
    needs: { module: "ip_vs_twos" },
    shares: sharesOfGrowingLoads(plans.map(loaded).toReversed(), CONNECTIONS),
    steps: [
      restore(
        "-A -t VIP:80 -s twos",
        ...plans.map(
          ({ weight, upper = 0 }, index) =>
            `-a -t VIP:80 -r ${server(index)}:80 -w ${weight} -x ${upper}`,
        ),
      ),
      ...Array.from({ length: CONNECTIONS }, (_, index) =>
        packet(`tcp CLIENT:${2000 + index} > VIP:80 S`),
      ),
    ],
  };
}

function loaded({ weight, load = 0, upper = 0 }: Plan, index: number): Loaded {
  return { name: server(index), weight, active: 0, inactive: load, upper };
}

export const TWOS: CaseFile = {
  features: {
    [GROUP]:
      "The scheduler twos: how its chance divides connections, by weight, load and threshold",
  },
  cases: () => [
    ...Object.entries(FIXED).map(fixedCase),
    ...Object.entries(GROWING).map(growingCase),
  ],
};
