/** Comments of keepalived.conf: `#` and `!` to the end of the line, anywhere but between `"`. */

/**
 * The line without its comment and the blanks around it; `\#` and `\!` stand for the character itself (decomment() in
 * keepalived's lib/parser.c). A `\` that ends the line stays: it continues a definition.
 */
export function decomment(line: string): string {
  let text = "";
  let isQuoted = false;
  for (let index = 0; index < line.length; index++) {
    const character = line[index]!;
    if (character === "\\") {
      const next = line[index + 1];
      if (next === undefined) return `${text.trim()}\\`;
      text += !isQuoted && isStart(next) ? next : character + next;
      index++;
      continue;
    }
    if (character === '"') isQuoted = !isQuoted;
    if (!isQuoted && isStart(character)) {
      // What is commented out may still continue a definition.
      return line.endsWith("\\") ? `${text.trim()}\\` : text.trim();
    }
    text += character;
  }
  return text.trim();
}

function isStart(character: string): boolean {
  return character === "#" || character === "!";
}
