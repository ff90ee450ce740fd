/** `ip rule`: in which order tables are looked at, and those that marked packets look at before the main one. */
import type { RoutingRule } from "../../host/route.ts";
import type { Context } from "../../shell/program.ts";
import { Arguments, EXIT, IpFailure, type IpOptions, means, refused } from "./arguments.ts";

const MAIN_PRIORITY = 32_766;

export function ipRule(words: readonly string[], _options: IpOptions, context: Context): undefined {
  const [verb = "show", ...rest] = words;
  if (means(verb, "show", "list")) return show(context);
  if (means(verb, "add")) return add(rest, context);
  if (means(verb, "delete")) return remove(rest, context);
  throw new IpFailure(`Command "${verb}" is unknown, try "ip rule help".`, EXIT.unknown);
}

function show({ host, out }: Context): undefined {
  out.write("0:\tfrom all lookup local\n");
  for (const { priority, mark, table } of host.routes.rules) {
    out.write(`${priority}:\tfrom all fwmark 0x${mark.toString(16)} lookup ${table}\n`);
  }
  out.write(
    `${MAIN_PRIORITY}:\tfrom all lookup main\n${MAIN_PRIORITY + 1}:\tfrom all lookup default\n`,
  );
}

function ruleIn(words: readonly string[]): Partial<RoutingRule> {
  const args = new Arguments(words);
  const rule: { -readonly [Key in keyof RoutingRule]?: RoutingRule[Key] } = {};
  for (let word = args.take(); word !== undefined; word = args.take()) {
    if (word === "fwmark") rule.mark = Number(args.value(word).split("/")[0]);
    else if (word === "lookup" || word === "table") rule.table = args.value(word);
    else if (["priority", "pref", "prio", "preference"].includes(word)) {
      rule.priority = Number(args.value(word));
    } else if (word === "from" || word === "to") args.value(word);
    else throw new IpFailure(`Error: argument "${word}" is wrong: Failed to parse rule type`);
  }
  return rule;
}

function add(words: readonly string[], { host }: Context): undefined {
  const { mark, table = "main", priority } = ruleIn(words);
  const { rules } = host.routes;
  if (mark === undefined)
    throw new IpFailure("Here rules look at marks alone: say fwmark", EXIT.refused);
  const next = (rules[0]?.priority ?? MAIN_PRIORITY) - 1;
  host.routes.setRules([...rules, { mark, table, priority: priority ?? next }]);
  host.tellChange("routes", `rule fwmark ${mark} lookup ${table}`);
}

function remove(words: readonly string[], { host }: Context): undefined {
  const { mark, table, priority } = ruleIn(words);
  const { rules } = host.routes;
  const found = rules.find(
    (rule) =>
      (mark === undefined || rule.mark === mark) &&
      (table === undefined || rule.table === table) &&
      (priority === undefined || rule.priority === priority),
  );
  if (found === undefined) throw refused("No such file or directory");
  host.routes.setRules(rules.filter((rule) => rule !== found));
  host.tellChange("routes", `rule fwmark ${found.mark} is gone`);
}
