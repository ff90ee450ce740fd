/**
 * A chapter of the guide: its Markdown, and in it the sessions, code blocks of the language `console`:
 *
 *     [root@node01 ~]# ipvsadm -ln          a command on a host of the laboratory, and what it printed
 *     IP Virtual Server version 1.2.1 (size=4096)
 *     [root@node01 ~]# cat >/run/a <<END    a command of several lines, as bash shows it
 *     > first
 *     > END
 *
 * A block that begins with `$ ` is of commands on the learner's own machine, in the checkout; what they print may have prompts
 * of hosts in it. A block of the language `console listening` listens while the block after it is typed. `<!-- laboratory: dr -->` says in
 * which laboratory a chapter is; chapters of the same one go on where the one before them ended.
 */

export interface Entry {
  /** A host of the laboratory, or the learner's own machine. */
  readonly host: string;
  readonly command: string;
  /** Whole lines, or nothing. */
  readonly output: string;
}

export interface Session {
  readonly isListening: boolean;
  readonly entries: readonly Entry[];
}

export type Piece = { readonly text: string } | { readonly session: Session };

export interface Chapter {
  /** Undefined for one that needs none. */
  readonly laboratory: "dr" | "nat" | "tun" | undefined;
  readonly pieces: readonly Piece[];
}

export const OWN_MACHINE = "own machine";

const BLOCK = /^```console( listening)?\n(.*?)^```$/gms;
const PROMPTS = { host: /^\[root@(\w+) ~\]# (.*)$/, ownMachine: /^\$ ()(.*)$/ };
const CONTINUATION = "> ";

export function parseChapter(markdown: string): Chapter {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of markdown.matchAll(BLOCK)) {
    pieces.push({ text: markdown.slice(end, match.index) });
    const isListening = match[1] !== undefined;
    pieces.push({ session: { isListening, entries: parseEntries(match[2]!) } });
    end = match.index + match[0].length;
  }
  pieces.push({ text: markdown.slice(end) });
  const laboratory = /^<!-- laboratory: (dr|nat|tun) -->$/m.exec(markdown)?.[1];
  return { laboratory: laboratory as Chapter["laboratory"], pieces };
}

function parseEntries(block: string): Entry[] {
  const entries: { host: string; command: string; output: string }[] = [];
  const pattern = block.startsWith("$ ") ? PROMPTS.ownMachine : PROMPTS.host;
  for (const line of block.split("\n").slice(0, -1)) {
    const prompt = pattern.exec(line);
    const last = entries.at(-1);
    if (prompt !== null) {
      entries.push({ host: prompt[1] || OWN_MACHINE, command: prompt[2]!, output: "" });
    } else if (last === undefined) {
      throw new Error(`A session begins with a prompt, not with '${line}'`);
    } else if (line.startsWith(CONTINUATION) && last.output === "") {
      last.command += `\n${line.slice(CONTINUATION.length)}`;
    } else {
      last.output += `${line}\n`;
    }
  }
  return entries;
}

export function formatChapter({ pieces }: Pick<Chapter, "pieces">): string {
  return pieces.map((piece) => ("text" in piece ? piece.text : format(piece.session))).join("");
}

function format({ isListening, entries }: Session): string {
  const lines = entries.map(({ host, command, output }) => {
    const prompt = host === OWN_MACHINE ? "$ " : `[root@${host} ~]# `;
    return `${prompt}${command.replaceAll("\n", `\n${CONTINUATION}`)}\n${output}`;
  });
  return `\`\`\`console${isListening ? " listening" : ""}\n${lines.join("")}\`\`\``;
}

export function sessionsOf({ pieces }: Chapter): Session[] {
  return pieces.flatMap((piece) => ("session" in piece ? [piece.session] : []));
}

/** The chapter with other sessions in the places of its own. */
export function withSessions(
  { pieces, laboratory }: Chapter,
  sessions: readonly Session[],
): Chapter {
  const others = sessions.values();
  return {
    laboratory,
    pieces: pieces.map((piece) =>
      "text" in piece ? piece : { session: others.next().value ?? piece.session },
    ),
  };
}
