/**
 * Mark rules in a director's namespace: iptables' mangle table, with a chain for each case. What is marked with
 * LOCAL_MARK_BIT is brought to the director whatever its address, as operators of firewall marks have it.
 */
import type { Case, PlacedCase } from "./case.ts";
import { LOCAL_MARK_BIT, Place } from "./place.ts";

// biome-ignore format: a list
export const MARK_MODULES = [
  "ip_tables", "iptable_mangle", "ip6_tables", "ip6table_mangle", "x_tables", "xt_tcpudp", "xt_sctp", "xt_mark",
  "xt_multiport",
] as const;

const COMMANDS = { inet: "iptables-legacy-restore", inet6: "ip6tables-legacy-restore" } as const;

/** Scripts that make chains for those cases that set rules, which are not all. */
export function markPreparation(cases: readonly PlacedCase[]): string[] {
  const places = cases
    .filter(({ each }) => each.steps.some(({ kind }) => kind === "marks"))
    .map(({ index }) => new Place(index));
  if (places.length === 0) return [];
  const lines = places.flatMap((place) => [
    `:${chainOf(place)} - [0:0]`,
    `-A PREROUTING -j ${chainOf(place)}`,
  ]);
  const routing = ["-4", "-6"].flatMap((family) => [
    `ip ${family} rule add fwmark ${LOCAL_MARK_BIT}/${LOCAL_MARK_BIT} lookup 100`,
    `ip ${family} route add local default dev lo table 100`,
  ]);
  return [[...routing, ...tables(lines, lines)].join("\n")];
}

/** A script that has exactly these rules in the case's chain, of those families that the case has rules of at all. */
export function markScript(rules: readonly string[], { steps }: Case, place: Place): string {
  const chain = chainOf(place);
  const all = steps.flatMap((step) => (step.kind === "marks" ? step.rules : []));
  const lines = (isInet6: boolean): string[] | undefined =>
    all.some((rule) => isForInet6(rule) === isInet6)
      ? [
          `:${chain} - [0:0]`,
          ...rules
            .filter((rule) => isForInet6(rule) === isInet6)
            .map((rule) => `-A ${chain} ${iptablesWords(place.fill(rule))}`),
        ]
      : undefined;
  return tables(lines(false), lines(true)).join("\n");
}

function isForInet6(rule: string): boolean {
  return /^-6 |(VIP|FAR|CLIENT)6/.test(rule);
}

function chainOf({ mark }: Place): string {
  return `case${mark}`;
}

function tables(
  inet: readonly string[] | undefined,
  inet6: readonly string[] | undefined,
): string[] {
  const text = (command: string, lines: readonly string[] | undefined): string[] =>
    lines === undefined
      ? []
      : [`${command} --noflush <<'END'`, "*mangle", ...lines, "COMMIT", "END"];
  return [...text(COMMANDS.inet, inet), ...text(COMMANDS.inet6, inet6)];
}

/** With the words that the rules of cases leave out. */
function iptablesWords(rule: string): string {
  return rule
    .replace(/^-6 /, "")
    .replace(/ (?=--[sd]ports )/, " -m multiport ")
    .replace("--set-mark", "-j MARK --set-mark");
}
