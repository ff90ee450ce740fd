/** Words of a line of keepalived.conf. */

/**
 * Between blanks; what stands between `"` is one word, also where it touches others (alloc_strvec() in keepalived's
 * lib/parser.c).
 */
export function wordsOf(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"?|[^\s"]+/g)].map(([whole, quoted]) => quoted ?? whole);
}

/** What a letter after `\` stands for. */
const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  E: "\x1b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

const ESCAPE = /\\(?:x([0-9a-fA-F]+)|([0-7]{1,3})|c(.)|(.))/gs;
const PIECE =
  /(\\(?:x[0-9a-fA-F]+|[0-7]{1,3}|c.|.))|"((?:\\.|[^"\\])*)"?|'([^']*)'?|(\s+)|([^\s"'\\]+)/gs;

/**
 * As a shell has it: words of quoted and escaped parts (alloc_strvec_quoted_escaped()), for scripts and expressions.
 */
export function escapedWordsOf(text: string): string[] {
  const words: string[] = [];
  let isOpen = false;
  for (const [whole, escaped, double, single, blank] of text.matchAll(PIECE)) {
    if (blank !== undefined) {
      isOpen = false;
      continue;
    }
    const quoted = escaped ?? double;
    const part = single ?? (quoted === undefined ? whole : unescaped(quoted));
    if (isOpen) words[words.length - 1] += part;
    else words.push(part);
    isOpen = true;
  }
  return words;
}

function unescaped(text: string): string {
  return text.replaceAll(ESCAPE, (_, hexadecimal, octal, control, escaped) => {
    if (hexadecimal !== undefined) return characterOf(Number.parseInt(hexadecimal, 16));
    if (octal !== undefined) return characterOf(Number.parseInt(octal, 8));
    if (control !== undefined) return characterOf(control.toUpperCase().charCodeAt(0) ^ 0x40);
    return ESCAPES[escaped] ?? escaped;
  });
}

/** One byte, as it is in C. */
function characterOf(code: number): string {
  return String.fromCharCode(code & 0xff);
}
