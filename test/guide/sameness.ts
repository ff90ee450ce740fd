/** What may differ between two runs of the same command, and nothing else. */

// biome-ignore format: a table
const RULES: readonly (readonly [what: string, pattern: RegExp, instead: string])[] = [
  ["blanks at a line's end",         /[ \t]+$/gm,                                             ""],
  ["where the checkout is",          /(?<=')(?:\S+\/)?(?=bin\/sluice)/g,                      "CHECKOUT/"],
  ["curl's words for a failure",     /(?<=^curl: \(\d+\) ).*$/gm,                             "WORDS"],
  ["a client's port",                /(?<=(?:192\.168\.150|203\.0\.113)\.1[:.])\d{5}\b/g,     "PORT"],
  ["minutes",                        /\b\d+m(?: \d+s)?(?= )/g,                                "TIME"],
  ["how long something took",        /\b\d+(?:\.\d+)? ?(?:ms|s|(?:millisecond|second|minute)s?)\b/g, "TIME"],
  ["the least, mean and most of it", /(?<=^rtt .*= ).*$/gm,                                   "TIMES"],
  ["what is left of a time",         /(?<=^(?:TCP|UDP|IP) +)\d\d:\d\d\b/gm,                   "LEFT"],
  ["a time of day",                  /\b\d\d:\d\d:\d\d\.\d{3,6}\b/g,                          "NOW"],
  ["what a ping is known by",        /\bid \d+(?=, seq)/g,                                   "id ID"],
  ["a process",                      /(?<=process )\d+/g,                                     "PID"],
  ["how many packets there were",    /^ *\d+(?= {2}[a-z]+(?:-[a-z]+)+ {2})/gm,                    "COUNT"],
  ["how often the host counted one", /(?<=^Ip\w+ +)\d+/gm,                                    "COUNT"],
  ["connections that are not over",  /(?<=^Connections +|^Ended )\d.*$/gm,                    "COUNT"],
  ["what the kernel did by itself",  /^ *\d+ +kernel-\S+ .*\n/gm,                             ""],
  ["how loaded a server was then",   /(?<=\(weight \d+, )\d+\+\d+(?=\))/g,                  "LOAD"],
  ["which engine the host can run",  /(?<=^Engine +)(?:kernel|userspace)(?=,)/gm,             "ENGINE"],
  ["where its programs run",         /^Program +.*\n/gm,                                      ""],
  ["who had a packet",               /\((?:kernel|userspace)\)(?=: )/g,                       "(ENGINE)"],
  ["a column's width",               / {2,}/g,                                                "  "],
];

export function withoutWhatMayDiffer(output: string): string {
  return RULES.reduce((text, [, pattern, instead]) => text.replace(pattern, instead), output);
}
