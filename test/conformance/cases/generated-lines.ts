/** Command lines composed from ipvsadm's grammar by a seed, in sessions: each line works on what those before it left. */
import { type Prng, prng } from "../../../src/base/prng.ts";
import { type Case, type CaseFile, ipvsadm } from "../case.ts";

const LINES_PER_SESSION = 25;

const GENERATED_GROUP = "ipvsadm, generated";

export const GENERATED_LINES: CaseFile = {
  features: {
    [GENERATED_GROUP]: "ipvsadm: command lines composed from its grammar",
  },
  cases: ({ seed, generated }) => generatedCases(seed, generated),
};

/** `count` lines, rounded up to whole sessions. The same seed gives the same lines. */
function generatedCases(seed: number, count: number): Case[] {
  return Array.from({ length: Math.ceil(count / LINES_PER_SESSION) }, (_, index) => {
    const chance = prng(seed + index);
    const lines = Array.from({ length: LINES_PER_SESSION }, () => lineOf(chance));
    return {
      group: GENERATED_GROUP,
      name: `seed ${seed + index}`,
      compare: "frames",
      sysctls: {},
      steps: [
        { kind: "begin", rules: "" },
        ...lines.map((line) => ipvsadm(line)),
        { kind: "rules" },
        ipvsadm("-L -n --thresholds"),
        ipvsadm("-L -n --tun-info"),
        ipvsadm("-L --timeout"),
      ],
    };
  });
}

type Part = string | ((chance: Prng) => string);

const filled = (part: Part, chance: Prng): string =>
  typeof part === "string" ? part : part(chance);

/** Few addresses, so that lines meet; and now and then one that is none. */
// biome-ignore format: a list
const VIPS = ["10.0.0.1:80", "10.0.0.1:80", "10.0.0.2:443", "10.0.0.2:0", "10.0.0.3", "[2001:db8::1]:80", "[2001:db8::2]:53", "2001:db8::3"];
// biome-ignore format: a list
const WRONG_VIPS = ["10.0.0.1:99999", "10.0.0.256:80", "[2001:db8::1]", "[2001:db8::1", ":80", "80", "", "10.0.0.1:nosuch", "[::g]:80"];
// biome-ignore format: a list
const RIPS = [
  "192.168.10.1:80", "192.168.10.1:80", "192.168.10.2:8080", "192.168.10.3", "[2001:db8::11]:80", "2001:db8::12", "192.168.10.1:http",
];
const WRONG_RIPS = [
  "192.168.10.1:x",
  "192.168.300.1:80",
  "224.0.0.1:80",
  "[fe80::1]:80",
  "255.255.255.255",
  "",
];

const oneOf =
  (...parts: readonly Part[]): Part =>
  (chance) =>
    filled(chance.of(parts), chance);

/** `right` mostly, else `wrong`. */
const mostly =
  (right: Part, wrong: Part): Part =>
  (chance) =>
    filled(chance.below(12) === 0 ? wrong : right, chance);

const option =
  (spelling: Part, argument: Part): Part =>
  (chance) => {
    const name = filled(spelling, chance);
    const value = filled(argument, chance);
    if (value === "") return `${name} ""`;
    const style = chance.below(8);
    if (style === 0 && name.startsWith("--")) return `${name}=${value}`;
    if (style === 0 && /^-\w$/.test(name)) return `${name}${value}`;
    return `${name} ${value}`;
  };

const vip = mostly(oneOf(...VIPS), oneOf(...WRONG_VIPS));
const mark = mostly(oneOf("1", "7", "4294967295"), oneOf("0", "-1", "x", "4294967296", "0x7"));

const SERVICE: Part = oneOf(
  option(oneOf("-t", "-t", "-t", "--tcp-service"), vip),
  option(oneOf("-u", "-u", "--udp-service"), vip),
  option("--sctp-service", vip),
  (chance) => filled(option(oneOf("-f", "--fwmark-service"), mark), chance),
  (chance) => `${filled(option("-f", mark), chance)} ${chance.of(["-6", "--ipv6"])}`,
);

const SERVER = option(oneOf("-r", "--real-server"), mostly(oneOf(...RIPS), oneOf(...WRONG_RIPS)));

// biome-ignore format: a list
const SCHEDULERS = ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh"];
// biome-ignore format: a list
const FLAGS = ["sh-port", "sh-fallback", "mh-port", "mh-fallback", "flag-1", "flag-2", "flag-3", "sh-port,sh-fallback", "flag-1,flag-3", "flag-4", ""];
const seconds = mostly(oneOf("1", "60", "300", "2678400"), oneOf("0", "-1", "2678401", "x", "5x"));
const smallNumber = mostly(
  oneOf("0", "1", "5", "100", "65535"),
  oneOf("-1", "x", "2147483648", "1e3", " 5"),
);

const SERVICE_OPTIONS: readonly Part[] = [
  option(
    oneOf("-s", "--scheduler"),
    mostly(oneOf(...SCHEDULERS), oneOf("nosuch", "", "averyveryverylongname")),
  ),
  option(oneOf("-s", "--scheduler"), oneOf("sh", "mh")),
  "-p",
  option(oneOf("-p", "--persistent"), seconds),
  option(oneOf("-M", "--netmask"), oneOf("255.255.255.0", "255.0.255.0", "64", "129", "0", "x")),
  option("--pe", oneOf("sip", "sip", "nosuch")),
  oneOf("-o", "--ops"),
  option(oneOf("-b", "--sched-flags"), oneOf(...FLAGS)),
];

const SERVER_OPTIONS: readonly Part[] = [
  oneOf("-g", "-m", "-i", "-i", "--gatewaying", "--masquerading", "--ipip"),
  option(oneOf("-w", "--weight"), smallNumber),
  option(oneOf("-x", "--u-threshold"), smallNumber),
  option(oneOf("-y", "--l-threshold"), smallNumber),
  option("--tun-type", mostly(oneOf("ipip", "gue", "gre"), oneOf("foo", ""))),
  option("--tun-port", mostly(oneOf("6080", "1"), oneOf("0", "65536", "x"))),
  oneOf("--tun-nocsum", "--tun-csum", "--tun-remcsum"),
  "-i --tun-type gue --tun-port 6080",
  "-i --tun-type gre",
];

// biome-ignore format: a list
const LIST_OPTIONS: readonly Part[] = [
  "-n", "-n", "-n", "--numeric", "--stats", "--rate", "--thresholds", "--persistent-conn", "--tun-info", "--nosort", "--sort",
  "-X", "--exact", "-c", "--timeout", "--daemon", SERVICE,
];

/** What no command takes here, or nobody. */
// biome-ignore format: a list
const STRAY: readonly Part[] = ["extra", "-q", "--bogus", "-D", "-L", "-6", "-", "--", "-h", "--wei 3", "-Z", "--set", ""];

interface Shape {
  readonly command: Part;
  readonly needs: readonly Part[];
  readonly takes: readonly Part[];
}

// biome-ignore format: a table
const SHAPES: readonly Shape[] = [
  { command: oneOf("-A", "-A", "--add-service"),    needs: [SERVICE],         takes: SERVICE_OPTIONS },
  { command: oneOf("-A", "-A", "--add-service"),    needs: [SERVICE],         takes: SERVICE_OPTIONS },
  { command: oneOf("-E", "--edit-service"),         needs: [SERVICE],         takes: SERVICE_OPTIONS },
  { command: oneOf("-D", "--delete-service"),       needs: [SERVICE],         takes: [] },
  { command: oneOf("-a", "-a", "--add-server"),     needs: [SERVICE, SERVER], takes: SERVER_OPTIONS },
  { command: oneOf("-a", "-a", "--add-server"),     needs: [SERVICE, SERVER], takes: SERVER_OPTIONS },
  { command: oneOf("-a", "-a", "--add-server"),     needs: [SERVICE, SERVER], takes: SERVER_OPTIONS },
  { command: oneOf("-e", "--edit-server"),          needs: [SERVICE, SERVER], takes: SERVER_OPTIONS },
  { command: oneOf("-d", "--delete-server"),        needs: [SERVICE, SERVER], takes: [] },
  { command: oneOf("-L", "-l", "--list"),           needs: [],                takes: LIST_OPTIONS },
  { command: oneOf("-S", "--save"),                 needs: [],                takes: ["-n"] },
  { command: oneOf("-Z", "--zero"),                 needs: [],                takes: [SERVICE] },
  { command: "--set",                               needs: [seconds, seconds, seconds], takes: ["-n"] },
];

const RARE = [
  "-C",
  "--clear",
  "",
  "-v",
  "--version",
  "-R",
  "--stop-daemon master",
  "--start-daemon foo",
];

function lineOf(chance: Prng): string {
  if (chance.below(40) === 0) return chance.of(RARE);
  const { command, needs, takes } = chance.of(SHAPES);
  const parts: Part[] = needs.filter(() => chance.below(25) !== 0);
  for (let more = chance.below(4); more > 0 && takes.length > 0; more--) {
    parts.push(chance.of(takes));
  }
  if (chance.below(12) === 0) parts.push(chance.of(STRAY));
  // An option of another command, and the same twice.
  if (chance.below(15) === 0)
    parts.push(chance.of(chance.of(SHAPES.filter(({ takes }) => takes.length > 0)).takes));
  if (chance.below(6) === 0) shuffle(parts, chance);
  const words = parts.map((part) => filled(part, chance));
  return [filled(command, chance), ...words.map((word) => (word === "" ? '""' : word))].join(" ");
}

function shuffle(parts: Part[], chance: Prng): void {
  for (let index = parts.length - 1; index > 0; index--) {
    const other = chance.below(index + 1);
    [parts[index], parts[other]] = [parts[other]!, parts[index]!];
  }
}
