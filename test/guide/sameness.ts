/** What may differ between two runs of the same command, and nothing else. */

// biome-ignore format: a table
const RULES: readonly (readonly [what: string, pattern: RegExp, instead: string])[] = [
  ["blanks at a line's end",        /[ \t]+$/gm,                                    ""],
  ["where the checkout is",         /(?<=')\S+(?=\/bin\/sluice)/g,                 "CHECKOUT"],
  ["and when one is in it",         /(?<=')(?=bin\/sluice)/g,                       "CHECKOUT/"],
  ["a client's port",               /(?<=(?:192\.168\.150|203\.0\.113)\.1[:.])\d{5}\b/g, "PORT"],
  ["how long something took",       /\b\d+(?:\.\d+)? ?(?:milliseconds|ms|s|seconds?)\b/g, "TIME"],
  ["the least, mean and most of it", /(?<=^rtt .*= ).*$/gm,                         "TIMES"],
  ["what is left of a time",        /(?<=^(?:TCP|UDP|IP) +)\d\d:\d\d\b/gm,          "LEFT"],
  ["a process",                     /(?<=process |pid )\d+/g,                       "PID"],
  ["netstat's process",             /\b\d+(?=\/node\b)/g,                           "PID"],
  ["TCP's numbers",                 /\b(?:seq|ack|win|ecr|val) [\d:]+/g,            "NUMBER"],
  ["a port's column",               / +(?=\d{3}\.)/g,                               " "],
];

export function withoutWhatMayDiffer(output: string): string {
  return RULES.reduce((text, [, pattern, instead]) => text.replace(pattern, instead), output);
}
