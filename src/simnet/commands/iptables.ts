/** `iptables`: the rules that lessons write. */
import { ICMP_TYPE, UNREACHABLE_CODE } from "../../net/icmp.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { parsePrefix } from "../../net/prefix.ts";
import type { TrackedState } from "../firewall/connection-tracking.ts";
import type { ChainName, Firewall, Matches, Rule, Target } from "../firewall/firewall.ts";
import { type Context, immediate, type Program } from "../shell/program.ts";

const WRONG = 2;
const REFUSED = 1;
const CHAINS: readonly ChainName[] = ["INPUT", "FORWARD", "OUTPUT", "PREROUTING"];
const PROTOCOLS: Readonly<Record<string, number>> = {
  tcp: IP_PROTOCOL.tcp,
  udp: IP_PROTOCOL.udp,
  icmp: IP_PROTOCOL.icmp,
  ipip: IP_PROTOCOL.ipip,
  ipencap: IP_PROTOCOL.ipip,
  gre: IP_PROTOCOL.gre,
};
const PORTS: Readonly<Record<string, number>> = { http: 80, https: 443, ssh: 22 };
const ICMP_TYPES: Readonly<Record<string, NonNullable<Matches["icmp"]>>> = {
  "echo-request": { type: ICMP_TYPE.echoRequest, code: undefined },
  "echo-reply": { type: ICMP_TYPE.echoReply, code: undefined },
  "destination-unreachable": { type: ICMP_TYPE.destinationUnreachable, code: undefined },
  "fragmentation-needed": {
    type: ICMP_TYPE.destinationUnreachable,
    code: UNREACHABLE_CODE.fragmentationNeeded,
  },
  "port-unreachable": { type: ICMP_TYPE.destinationUnreachable, code: UNREACHABLE_CODE.port },
  "time-exceeded": { type: ICMP_TYPE.timeExceeded, code: undefined },
};

/** What a rule cannot be. */
class Refusal extends Error {
  override readonly name = "Refusal";
}

export const iptables: Program = immediate((words, context) => {
  try {
    return obey(words, context);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    context.err.write(
      `iptables v1.8.9 (nf_tables): ${error.message}\nTry \`iptables -h' or 'iptables --help' for more information.\n`,
    );
    return WRONG;
  }
});

function obey(words: readonly string[], context: Context): number {
  const { host, out, err } = context;
  const { firewall } = host;
  const rest = [...words];
  let table = "filter";
  const tableAt = rest.findIndex((word) => word === "-t" || word === "--table");
  if (tableAt >= 0) [, table = "filter"] = rest.splice(tableAt, 2);
  const [verb, chain, ...specification] = rest.filter(
    (word) => word !== "-n" && word !== "-v" && word !== "-w",
  );
  switch (verb) {
    case "-L":
    case "-nL":
    case "-S":
    case "-nvL":
      out.write(listed(firewall, table, verb === "-S"));
      return 0;
    case "-F":
      firewall.flush(
        (rule) => rule.table === table && (chain === undefined || rule.chain === chain),
      );
      return 0;
    case "-P":
      firewall.setPolicy(table, chainIn(chain), specification[0] === "DROP" ? "DROP" : "ACCEPT");
      return 0;
    case "-A":
    case "-I":
    case "-D":
    case "-C": {
      const own = chainIn(chain);
      const numbered = /^\d+$/.test(specification[0] ?? "")
        ? specification.slice(1)
        : specification;
      const text = numbered.join(" ");
      const isSame = (each: Rule): boolean =>
        each.table === table && each.chain === own && each.text === text;
      if (verb === "-D" || verb === "-C") {
        const isThere = verb === "-D" ? firewall.remove(isSame) : firewall.rules.some(isSame);
        if (isThere) return 0;
        err.write("iptables: Bad rule (does a matching rule exist in that chain?).\n");
        return REFUSED;
      }
      firewall.add({ table, chain: own, text, ...specified(numbered) }, verb === "-I");
      host.tellChange("settings", `iptables ${verb} ${own} ${text}`);
      return 0;
    }
    default:
      throw new Refusal(verb === undefined ? "no command specified" : `unknown option "${verb}"`);
  }
}

function chainIn(name: string | undefined): ChainName {
  const known = CHAINS.find((each) => each === name);
  if (known === undefined) throw new Refusal(`invalid chain name '${name ?? ""}'`);
  return known;
}

function specified(words: readonly string[]): {
  readonly matches: Matches;
  readonly target: Target;
} {
  const matches: { -readonly [Key in keyof Matches]?: Matches[Key] } = {};
  let target: Target | undefined;
  let mark = 0;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "!") throw new Refusal("inverted matches are not known here");
    const value = words[++at] ?? "";
    switch (word) {
      case "-p":
      case "--protocol":
        matches.protocol = PROTOCOLS[value] ?? Number(value);
        break;
      case "-s":
      case "--source":
        matches.source = prefixIn(value);
        break;
      case "-d":
      case "--destination":
        matches.destination = prefixIn(value);
        break;
      case "--dport":
        matches.destinationPort = PORTS[value] ?? Number(value);
        break;
      case "--sport":
        matches.sourcePort = PORTS[value] ?? Number(value);
        break;
      case "-i":
        matches.input = value;
        break;
      case "-o":
        matches.output = value;
        break;
      case "--icmp-type":
        matches.icmp = ICMP_TYPES[value] ?? { type: Number(value.split("/")[0]), code: undefined };
        break;
      case "--ctstate":
      case "--state":
        matches.states = value.split(",") as TrackedState[];
        break;
      case "-m":
        break;
      case "--set-mark":
      case "--set-xmark":
        mark = Number(value.split("/")[0]);
        break;
      case "-j":
        if (!["ACCEPT", "DROP", "REJECT", "MARK"].includes(value)) {
          throw new Refusal(`Couldn't load target \`${value}':No such file or directory`);
        }
        target =
          value === "MARK"
            ? { kind: "MARK", mark }
            : { kind: value as "ACCEPT" | "DROP" | "REJECT" };
        break;
      default:
        throw new Refusal(`unknown option "${word}"`);
    }
  }
  if (target?.kind === "MARK") target = { kind: "MARK", mark };
  return { matches, target: target ?? { kind: "MARK", mark: 0 } };
}

function prefixIn(text: string): NonNullable<Matches["source"]> {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new Refusal(`host/network \`${text}' not found`);
  return prefix;
}

function listed(firewall: Firewall, table: string, asCommands: boolean): string {
  const chains = table === "mangle" ? CHAINS : CHAINS.filter((chain) => chain !== "PREROUTING");
  if (asCommands) {
    const policies = chains.map((chain) => `-P ${chain} ${firewall.policy(table, chain)}\n`);
    const rules = firewall.rules
      .filter((rule) => rule.table === table)
      .map((rule) => `-A ${rule.chain} ${rule.text}\n`);
    return policies.join("") + rules.join("");
  }
  return chains
    .map((chain) => {
      const rules = firewall.rules.filter((rule) => rule.table === table && rule.chain === chain);
      return `Chain ${chain} (policy ${firewall.policy(table, chain)})\ntarget     prot opt source               destination         \n${rules.map(rowOf).join("")}`;
    })
    .join("\n");
}

function rowOf({ matches, target, text }: Rule): string {
  const protocol =
    Object.keys(PROTOCOLS).find((name) => PROTOCOLS[name] === matches.protocol) ?? "all";
  const place = (prefix: Matches["source"]): string =>
    prefix === undefined
      ? "0.0.0.0/0"
      : prefix.length === 32
        ? `${prefix.address}`
        : `${prefix.address}/${prefix.length}`;
  const rest = [
    ...(matches.destinationPort === undefined
      ? []
      : [`${protocol} dpt:${matches.destinationPort}`]),
    ...(matches.states === undefined ? [] : [`ctstate ${matches.states.join(",")}`]),
    ...(matches.icmp === undefined ? [] : [/--icmp-type (\S+)/.exec(text)![0]]),
    ...(target.kind === "MARK" ? [`MARK set 0x${target.mark.toString(16)}`] : []),
  ];
  return `${target.kind.padEnd(10)} ${protocol.padEnd(4)} --  ${place(matches.source).padEnd(20)} ${place(matches.destination).padEnd(20)} ${rest.join(" ")}\n`;
}
