/** What a line of the shell asks for, as a tree: POSIX.1-2017, Shell Command Language, section 2.10, in part. */
import { type Part, SyntaxFault, type Token, tokensOf } from "./lexer.ts";

export type Word = readonly Part[];

export interface Redirection {
  readonly operator: string;
  /** Where to or from; undefined for those that join two outputs. */
  readonly target: Word | undefined;
}

export type Command =
  | {
      readonly kind: "simple";
      readonly assignments: readonly { readonly name: string; readonly value: Word }[];
      readonly words: readonly Word[];
      readonly redirections: readonly Redirection[];
    }
  | {
      readonly kind: "group";
      /** In parentheses: a subshell. */
      readonly isApart: boolean;
      readonly body: Script;
      readonly redirections: readonly Redirection[];
    }
  | {
      readonly kind: "for";
      readonly variable: string;
      readonly words: readonly Word[];
      readonly body: Script;
      readonly redirections: readonly Redirection[];
    }
  | {
      readonly kind: "if";
      /** The first whose condition holds is the one that is done. */
      readonly branches: readonly { readonly condition: Script; readonly body: Script }[];
      readonly otherwise: Script;
      readonly redirections: readonly Redirection[];
    }
  | {
      readonly kind: "while";
      readonly condition: Script;
      readonly body: Script;
      readonly redirections: readonly Redirection[];
    };

export interface Item {
  /** When it is done: always, or by how the one before ended. */
  readonly condition: "always" | "&&" | "||";
  readonly isNegated: boolean;
  readonly pipeline: readonly Command[];
  readonly isBackground: boolean;
}

export type Script = readonly Item[];

const ASSIGNMENT = /^([A-Za-z_]\w*)=/;
const JOINING = new Set(["2>&1", "1>&2", ">&2", ">&1"]);
const REDIRECTING = new Set(["2>>", "&>>", ">>", "2>", "1>", "&>", ">", "<", ...JOINING]);
const ENDING = new Set(["do", "done", ")", "}", "then", "elif", "else", "fi"]);

/** Throws a SyntaxFault. */
export function scriptOf(line: string): Script {
  const parser = new Parser(tokensOf(line));
  const script = parser.script();
  parser.expectEnd();
  return script;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  script(): Script {
    const items: Item[] = [];
    let condition: Item["condition"] = "always";
    for (;;) {
      while (this.#skip(";") || this.#skip("\n")) condition = "always";
      if (this.#isAtEnd) break;
      const isNegated = this.#skipWord("!");
      const pipeline = [this.#command()];
      while (this.#skip("|")) pipeline.push(this.#command());
      const isBackground = this.#skip("&");
      items.push({ condition, isNegated, pipeline, isBackground });
      if (this.#skip("&&")) condition = "&&";
      else if (this.#skip("||")) condition = "||";
      else {
        condition = "always";
        const isSeparated = isBackground || this.#skip(";") || this.#skip("\n");
        if (!isSeparated && !this.#isAtEnd) throw this.#unexpected();
      }
    }
    return items;
  }

  expectEnd(): undefined {
    if (this.#at < this.#tokens.length) throw this.#unexpected();
  }

  get #isAtEnd(): boolean {
    const token = this.#tokens[this.#at];
    if (token === undefined) return true;
    return ENDING.has(token.kind === "word" ? token.raw : token.text);
  }

  #command(): Command {
    if (this.#skip("(")) {
      const body = this.script();
      this.#expect(")");
      return { kind: "group", isApart: true, body, redirections: this.#redirections() };
    }
    if (this.#skipWord("{")) {
      const body = this.script();
      this.#expectWord("}");
      return { kind: "group", isApart: false, body, redirections: this.#redirections() };
    }
    if (this.#skipWord("for")) return this.#for();
    if (this.#skipWord("while")) return this.#while();
    if (this.#skipWord("if")) return this.#if();
    return this.#simple();
  }

  #for(): Command {
    const token = this.#next();
    if (token?.kind !== "word") throw this.#unexpected();
    const words: Word[] = [];
    if (this.#skipWord("in")) {
      for (let word = this.#word(); word !== undefined; word = this.#word()) words.push(word);
    }
    const body = this.#body();
    return { kind: "for", variable: token.raw, words, body, redirections: this.#redirections() };
  }

  #while(): Command {
    const condition = this.script();
    const body = this.#body();
    return { kind: "while", condition, body, redirections: this.#redirections() };
  }

  #if(): Command {
    const branches: { condition: Script; body: Script }[] = [];
    do {
      const condition = this.script();
      this.#expectWord("then");
      branches.push({ condition, body: this.script() });
    } while (this.#skipWord("elif"));
    const otherwise = this.#skipWord("else") ? this.script() : [];
    this.#expectWord("fi");
    return { kind: "if", branches, otherwise, redirections: this.#redirections() };
  }

  #body(): Script {
    while (this.#skip(";") || this.#skip("\n"));
    this.#expectWord("do");
    const body = this.script();
    this.#expectWord("done");
    return body;
  }

  #simple(): Command {
    const assignments: { name: string; value: Word }[] = [];
    const words: Word[] = [];
    const redirections: Redirection[] = [];
    for (;;) {
      const redirection = this.#redirection();
      if (redirection !== undefined) {
        redirections.push(redirection);
        continue;
      }
      const token = this.#tokens[this.#at];
      if (token?.kind !== "word") break;
      this.#at++;
      const assignment = words.length === 0 ? assignmentIn(token.parts) : undefined;
      if (assignment === undefined) words.push(token.parts);
      else assignments.push(assignment);
    }
    if (words.length + assignments.length + redirections.length === 0) throw this.#unexpected();
    return { kind: "simple", assignments, words, redirections };
  }

  #redirections(): readonly Redirection[] {
    const all: Redirection[] = [];
    for (let each = this.#redirection(); each !== undefined; each = this.#redirection()) {
      all.push(each);
    }
    return all;
  }

  #redirection(): Redirection | undefined {
    const token = this.#tokens[this.#at];
    if (token?.kind !== "operator" || !REDIRECTING.has(token.text)) return undefined;
    this.#at++;
    if (JOINING.has(token.text)) return { operator: token.text, target: undefined };
    const target = this.#word();
    if (target === undefined) throw this.#unexpected();
    return { operator: token.text, target };
  }

  #word(): Word | undefined {
    const token = this.#tokens[this.#at];
    if (token?.kind !== "word") return undefined;
    this.#at++;
    return token.parts;
  }

  #next(): Token | undefined {
    return this.#tokens[this.#at++];
  }

  #skip(operator: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== "operator" || token.text !== operator) return false;
    this.#at++;
    return true;
  }

  #skipWord(word: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== "word" || token.raw !== word) return false;
    this.#at++;
    return true;
  }

  #expect(operator: string): undefined {
    if (!this.#skip(operator)) throw this.#unexpected();
  }

  #expectWord(word: string): undefined {
    if (!this.#skipWord(word)) throw this.#unexpected();
  }

  #unexpected(): SyntaxFault {
    const token = this.#tokens[this.#at];
    if (token === undefined) return new SyntaxFault("syntax error: unexpected end of file");
    const text = token.kind === "word" ? token.raw : token.text;
    const shown = text === "\n" ? "newline" : text;
    return new SyntaxFault(`syntax error near unexpected token \`${shown}'`);
  }
}

function assignmentIn(parts: Word): { name: string; value: Word } | undefined {
  const [first, ...rest] = parts;
  if (first?.kind !== "text" || first.isQuoted) return undefined;
  const [found, name] = ASSIGNMENT.exec(first.text) ?? [];
  if (found === undefined || name === undefined) return undefined;
  return { name, value: [{ ...first, text: first.text.slice(found.length) }, ...rest] };
}
