/** The knobs of net.ipv4.vs: defaults, what each takes and refuses, and sysctl's own words. */
import { FIXED_SYSCTLS, SYSCTL_RULES } from "../../../src/ipvs/desired/sysctls.ts";
import { type Case, type CaseFile, type Step, sysctl } from "../case.ts";

const GROUP = "sysctl";

/** Up to 8589934 for what the kernel keeps in ticks: how much more fits depends on how many it has in a second. */
// biome-ignore format: a list
const NUMBERS = [
  "1", "2", "3", "4", "-1", "0", "2147483647", "2147483648", "4294967295", "-2147483648", "-2147483649",
  "8589934", "-8589934", "18446744073709551616", "99999999999999999999",
  "0x2", "0x10", "02", "010", "-0", "-0x2",
];

// biome-ignore format: a list
const TEXTS = [
  "\n", " ", "x", "1x", "+1", "1.5", "1e3", "- 1", "--1", "1,2", "0x", "08", "1\0", "on", "-",
  " 3", "3 ", "3\n", "\t2\r\n", "3 50", "3\t50", "3\n4", "1 x", "x 1", "1\r", "1\r\n",
  "00000000000000000001", "000000000000000000001", "-0000000000000000001", "-00000000000000000001",
  `2${" ".repeat(100)}`, `1${" ".repeat(5000)}x`, "1".repeat(25),
];

/** What the kernel has another default for, by its memory and its CPUs, or only when it was built so. */
const NOT_COMPARED = ["debug_level", "est_cpulist", "sync_qlen_max"];

/** What only later kernels have. */
const SINCE: Readonly<Record<string, string>> = { est_nice: "6.3" };

export const SYSCTLS: CaseFile = {
  features: {
    [GROUP]:
      "The knobs of net.ipv4.vs: defaults, ranges, refusals; sysctl: stdout, stderr, exit code",
  },
  cases: sysctlCases,
};

function sysctlCases(): Case[] {
  return [
    ...Object.keys(SYSCTL_RULES).map(knobCase),
    ...Object.keys(FIXED_SYSCTLS)
      .filter((name) => !NOT_COMPARED.includes(name))
      .map(defaultCase),
    ...Object.entries(COMMANDS).map(([name, lines]) =>
      sysctlCase(
        name,
        lines.map((line) => sysctl(line)),
      ),
    ),
    ...Object.entries(FILES).map(([name, text]) =>
      sysctlCase(name, [sysctl("-p -", text), sysctl("-n net.ipv4.vs.drop_packet")]),
    ),
  ];
}

function knobCase(name: string): Case {
  const values = [...NUMBERS, ...TEXTS];
  return sysctlCase(name, [
    sysctl(`net.ipv4.vs.${name}`),
    ...values.map((value): Step => ({ kind: "sysctl", name, value })),
    sysctl(`net/ipv4/vs/${name}`),
  ]);
}

function defaultCase(name: string): Case {
  const plain = sysctlCase(`${name}, only its default`, [sysctl(`net.ipv4.vs.${name}`)]);
  const since = SINCE[name];
  return since === undefined ? plain : { ...plain, needs: { since } };
}

function sysctlCase(name: string, steps: readonly Step[]): Case {
  return { group: GROUP, name, compare: "frames", sysctls: {}, steps };
}

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  "reads names with dots and slashes": [
    "net.ipv4.vs.drop_entry",
    "net/ipv4/vs/drop_entry",
    "net.ipv4.vs.drop_entry net/ipv4/vs/am_droprate",
    "net.ipv4.vs.drop_entry net.ipv4.vs.foo net.ipv4.vs.drop_packet",
    "net/ipv4/vs/foo",
    "net/ipv4/vs/foo.bar",
    "net.ipv4.vs.foo/bar",
    "net.ipv4.vs.foo.bar",
    "net.ipv4.vs.drop_packet.a",
    '"net.ipv4.vs.drop_entry "',
    "net.ipv4.vs.drop_*",
  ],
  "sets and reads back": [
    "net.ipv4.vs.drop_entry=3",
    "net.ipv4.vs.drop_entry",
    "-w net.ipv4.vs.drop_entry=2",
    "net.ipv4.vs.drop_entry",
    "net.ipv4.vs.drop_entry net.ipv4.vs.drop_entry=3 net.ipv4.vs.drop_entry",
    "net.ipv4.vs.drop_entry=0 net.ipv4.vs.drop_packet=1 -w",
    '"net.ipv4.vs.drop_packet = 3"',
    '" net.ipv4.vs.drop_packet= 1 "',
    "net/ipv4/vs/drop_packet=0",
    "net.ipv4.vs.am_droprate=0x10",
    "net.ipv4.vs.am_droprate",
    '"net.ipv4.vs.am_droprate=3 50"',
    "net.ipv4.vs.am_droprate",
    '"net.ipv4.vs.sync_threshold=3 50"',
    "net.ipv4.vs.sync_threshold",
    "-- -net.ipv4.vs.am_droprate=10",
  ],
  refusals: [
    "net.ipv4.vs.foo=1",
    "-q net.ipv4.vs.foo",
    "net.ipv4.vs.drop_entry=4",
    "-e net.ipv4.vs.drop_entry=4",
    "net.ipv4.vs.drop_packet=",
    "net.ipv4.vs.drop_packet==1",
    "net.ipv4.vs.drop_packet=1=2",
    "net.ipv4.vs.drop_packet.a=3",
    "-- -net.ipv4.vs.drop_entry=x",
    "-q net.ipv4.vs.drop_entry=5",
    "net.ipv4.vs.drop_entry",
  ],
  options: [
    "-n net.ipv4.vs.drop_entry",
    "--values net.ipv4.vs.drop_entry",
    "net.ipv4.vs.drop_entry -n",
    "-n net.ipv4.vs.drop_entry=1",
    "-q net.ipv4.vs.drop_entry=0",
    "-q net.ipv4.vs.drop_entry",
    "-nq net.ipv4.vs.drop_entry",
    "-N net.ipv4.vs.drop_entry",
    "-nN net.ipv4.vs.drop_entry",
    "--names net.ipv4.vs.drop_entry",
    "-b net.ipv4.vs.drop_entry",
    "-b net.ipv4.vs.drop_entry=1",
    "-e net.ipv4.vs.foo",
    "-e net.ipv4.vs.foo=1",
    "-e net.ipv4.vs.foo=1 net.ipv4.vs.drop_entry=3",
    "--dry-run net.ipv4.vs.drop_entry=1",
    "net.ipv4.vs.drop_entry",
    "-r drop_ net.ipv4.vs",
    "-ar ^net.ipv4.vs.drop",
    "-n -a -r ^net.ipv4.vs.[abc].*[^k]$",
    "-N net.ipv4.vs -r ^net.ipv4.vs.[bc]",
    "-p /none",
  ],
};

const FILES: Readonly<Record<string, string>> = {
  "an empty file": "\n",
  "a file without its last line feed": "net.ipv4.vs.drop_packet=1",
  "a file with comments and blanks": `
# comment
; another = 1
  # indented = 2
net.ipv4.vs.drop_entry = 1
net/ipv4/vs/drop_packet=3
-net.ipv4.vs.secure_tcp = 1
  net.ipv4.vs.am_droprate   =   12  \t
-net.ipv4.vs.conntrack
net.ipv4.vs.sync_threshold = 3 50
net.ipv4.vs.sloppy_tcp = 1 # not a comment
`,
};
