/** ipvsadm, line by line: what it prints, how it exits, and which rules it leaves. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Case, type CaseFile, ipvsadm, type Step } from "../case.ts";

/** Every kind of service, with and without servers. */
const RULES = `\
-A -t 10.0.0.1:80 -s wlc
-a -t 10.0.0.1:80 -r 192.168.10.50:80 -g -w 2
-a -t 10.0.0.1:80 -r 192.168.10.51:8080 -m -w 1
-A -t [2001:db8::80]:80 -s rr -p 100 -M 64
-a -t [2001:db8::80]:80 -r [2001:db8::5]:8080 -m -w 3
-A -f 1 -6 -s sh
-A -f 7 -s rr -p 600
`;

const GROUP = "ipvsadm";

export const COMMAND_LINES: CaseFile = {
  features: {
    [GROUP]: "ipvsadm: stdout, stderr, exit code, rules left; -R; every view",
  },
  cases: () => [...commandLineCases(), ...restoreCases(), ...viewCases()],
};

function commandLineCases(): Case[] {
  const file = join(import.meta.dirname, "command-lines.txt");
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => commandLineCase(line, [ipvsadm(line), ...aftermath(line)]));
}

function commandLineCase(name: string, steps: readonly Step[]): Case {
  return {
    group: GROUP,
    name,
    compare: "frames",
    sysctls: {},
    steps: [{ kind: "begin", rules: RULES }, ...steps, { kind: "rules" }],
  };
}

/** What the rules do not tell: thresholds, timeouts. A daemon that was started is stopped for the lines that follow. */
function aftermath(line: string): Step[] {
  if (/-[xy]|threshold/.test(line)) return [ipvsadm("-L -n --thresholds")];
  if (line.includes("--set")) return [ipvsadm("-L --timeout")];
  if (line.startsWith("--start-daemon") && line.includes(" lo")) {
    return [
      ipvsadm("-L --daemon"),
      ipvsadm("--stop-daemon master"),
      ipvsadm("--stop-daemon backup"),
    ];
  }
  return [];
}

/** What `ipvsadm -R` reads, with \n for the end of a line. */
// biome-ignore format: a list
const INPUTS = [
  String.raw`-A -t 10.0.0.1:80 -s rr\n`,
  String.raw`ipvsadm -A -t 10.0.0.1:80 -s rr\n\n   \n  -a   -t 10.0.0.1:80\t-r 1.1.1.1:80 -m\n`,
  String.raw`# comment\n-A -t 10.0.0.1:80\n`,
  String.raw`-A -t 10.0.0.1:80\n# comment\n-A -t 10.0.0.2:80\n`,
  String.raw`-A -t 10.0.0.1:80\n-A -t 10.0.0.1:80\n`,
  String.raw`-A -t 10.0.0.1:80\n-A -t 10.0.0.1:80\n-A -t 10.0.0.2:80\n`,
  String.raw`-A -t 10.0.0.1:80\n-A -t 10.0.0.1:80 -q\n-A -t 10.0.0.2:80\n`,
  String.raw`-A -t 10.0.0.1:80\n-A -t 10.0.0.1:80 -w 1\n-A -t 10.0.0.2:80\n`,
  String.raw`-A -t 10.0.0.1:80\n-R\n-A -t 10.0.0.2:80\n`,
  String.raw`-A -t 10.0.0.1:80\n-L -n\n-A -t 10.0.0.2:80\n`,
  String.raw`-A -t 10.0.0.1:80\n-S -n\n-h\n-v\n-A -t 10.0.0.2:80`,
  String.raw`-L -t 10.0.0.9:80\n-A -t 10.0.0.2:80\n`,
  String.raw`-A -t 10.0.0.2:80\n-L -t 10.0.0.9:80\n`,
  String.raw`-A -t 10.0.0.2:80 extra\n`,
  String.raw`ipvsadm\n-A -t 10.0.0.2:80\n`,
  String.raw`ipvsadm ipvsadm -A -t 10.0.0.2:80\n`,
  String.raw`foo\n`,
  String.raw`/sbin/ipvsadm -A -t 10.0.0.2:80\n`,
  String.raw`-A -t "10.0.0.2:80"\n`,
  String.raw`-A -t 10.0.0.2:80\n\n\n-D -t 10.0.0.9:80\n\n\n`,
  String.raw`-D -t 10.0.0.9:80\n\n-A -t 10.0.0.2:80\n\n`,
  String.raw`--set 1 2 3\n-Z\n-C\n`,
  String.raw`-A -t 10.0.0.2:80 -s rr -p 5\r\n`,
  String.raw`-A -f 4294967295\n`,
  String.raw`-A -t 10.0.0.2:80\n-a -t 10.0.0.2:80 -r 1.1.1.1:80`,
  String.raw`-A\n`,
  "ipvsadm",
  String.raw`  ipvsadm  -L\n`,
  "",
];

function restoreCases(): Case[] {
  return INPUTS.map((input) => {
    const stdin = input.replaceAll(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter);
    return {
      group: GROUP,
      name: `-R < ${JSON.stringify(input)}`,
      compare: "frames",
      sysctls: {},
      steps: [{ kind: "begin", rules: "" }, ipvsadm("-R", stdin), { kind: "rules" }],
    };
  });
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

/**
 * A table whose every line sorts, prints and saves in its own way. ipvsadm compares by 32-bit differences: no three
 * addresses here may wrap around, or the order would depend on the kernel's hash (src/cli/ipvsadm/sort.ts).
 */
const WIDE_TABLE = `\
-A -t 224.0.0.1:80
-A -t 10.0.0.1:80
-A -t 10.0.0.1:8080
-A -t 10.0.0.1:40000
-A -t 192.168.0.1:80
-A -u 10.0.0.1:80
-A --sctp-service 10.0.0.1:80
-A -t [2001:db8::1]:80
-A -t [fe80::1]:80
-A -t [::1]:80
-A -f 1
-A -f 1 -6
-A -f 4294967295
-A -f 9
-A -u 10.0.0.1:53 -o
-A -u 10.0.0.2:53 -s sh -b sh-port,sh-fallback,flag-3 -p 60 -M 255.255.0.0 --pe sip -o
-A -t 10.0.0.2:53 -s mh -b flag-3
-A -t 10.0.0.3:53 -s mh -b mh-port,mh-fallback
-A -t 10.0.0.4:53 -s rr -b flag-1,flag-2,flag-3
-A -t 10.0.0.1:81 --pe sip
-a -t 10.0.0.1:80 -r 192.168.10.1:80 -m
-a -t 10.0.0.1:80 -r 130.168.10.1:80 -m
-a -t 10.0.0.1:80 -r 200.168.10.1:80 -m
-a -t 10.0.0.1:80 -r 200.168.10.1:65535 -m
-a -t 10.0.0.1:80 -r 200.168.10.100:65535 -m -x 2147483647 -y 5
-a -t 10.0.0.1:80 -r 100.168.10.1:80 -i --tun-type gue --tun-port 65535 --tun-remcsum
-a -t 10.0.0.1:80 -r 100.168.10.2:80 -i --tun-type gre --tun-csum
-a -t 10.0.0.1:80 -r 100.168.10.3:80 -i
-a -t 10.0.0.1:80 -r [2001:db8::99]:80 -i
-a -t 10.0.0.1:80 -r [2001:db8::1:99]:80 -i --tun-type gre
-a -t [2001:db8::1]:80 -r [2001:db8:1111:2222:3333:4444:5555:6666]:8080 -m -w 100000
-a -t [2001:db8::1]:80 -r [2001:db8:1111:2222:3333:4444:5555:6667]:80 -g -w 2147483647
-a -t [2001:db8::1]:80 -r 10.0.0.7:80 -i
-a -f 9 -r 10.0.0.7:80 -i
-a -f 9 -r 10.0.0.7 -g
`;

// biome-ignore format: a list
const VIEWS = [
  "-L", "-L -n", "-L -n --tun-info", "-L -n --stats", "-L -n --rate", "-L -n --thresholds", "-L -n --persistent-conn",
  "-L -n --nosort", "-L -n --stats --exact", "-L -n --rate -X", "-L --stats", "-L --thresholds", "-S", "-S -n",
  "-L -n --tun-info --thresholds", "-L -n --persistent-conn --tun-info", "-L -n -f 9", "-L -n -f 4294967295",
  "-L -n -t [2001:db8::1]:80", "-L -n -t [2001:0db8:0:0::1]:80 --tun-info", "-L -n --thresholds -t 10.0.0.1:80",
];

function viewCases(): Case[] {
  return VIEWS.map((line) => ({
    group: GROUP,
    name: `a wide table: ${line}`,
    compare: "frames",
    sysctls: {},
    steps: [{ kind: "begin", rules: WIDE_TABLE }, ipvsadm(line)],
  }));
}
