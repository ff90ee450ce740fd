/** Reads Prometheus' text format, and throws at what it does not allow: more strictly than Prometheus itself does. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;
/** What a histogram's or summary's samples are called beside the family itself. */
const SUFFIX = /_(?:bucket|sum|count)$/;

export function exposition(text: string): Sample[] {
  if (!text.endsWith("\n")) throw new SyntaxError("the last line does not end");
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  const helps = new Set<string>();
  const seen = new Set<string>();
  let family = "";
  for (const line of text.slice(0, -1).split("\n")) {
    if (line === "") continue;
    const [, kind, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === "HELP") {
      if (helps.has(name)) throw new SyntaxError(`${name} has a second HELP`);
      helps.add(name);
      family = name;
    } else if (kind === "TYPE") {
      if (types.has(name)) throw new SyntaxError(`${name} has a second TYPE`);
      if (!helps.has(name) || family !== name) throw new SyntaxError(`${name} has no HELP before`);
      if (rest === "counter" && !name.endsWith("_total")) {
        throw new SyntaxError(`the counter ${name} is not called _total`);
      }
      types.set(name, rest);
    } else {
      const sample = sampleIn(line);
      const of = sample.name === family ? family : sample.name.replace(SUFFIX, "");
      if (of !== family) throw new SyntaxError(`${sample.name} stands among those of ${family}`);
      const key = line.slice(0, line.lastIndexOf(" "));
      if (seen.has(key)) throw new SyntaxError(`${key} is there twice`);
      seen.add(key);
      samples.push(sample);
    }
  }
  return samples;
}

function sampleIn(line: string): Sample {
  const [, name, inner = "", digits] = SAMPLE.exec(line) ?? [];
  const value = digits === "+Inf" ? Number.POSITIVE_INFINITY : Number(digits);
  if (name === undefined || (Number.isNaN(value) && digits !== "NaN")) {
    throw new SyntaxError(`this is no sample: ${line}`);
  }
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  for (let at = 0; at < inner.length; at = LABEL.lastIndex) {
    const [, label, text] = LABEL.exec(inner) ?? [];
    if (label === undefined) throw new SyntaxError(`these are no labels: ${inner}`);
    labels[label] = text!.replace(/\\(.)/g, (_, next) => (next === "n" ? "\n" : next));
  }
  return { name, labels, value };
}
