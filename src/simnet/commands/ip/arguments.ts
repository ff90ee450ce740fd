/** What `ip`'s objects share: its options, its keywords, and how it complains. */
import { Address, type Family } from "../../../net/address.ts";
import { type Prefix, parsePrefix } from "../../../net/prefix.ts";
import type { NetworkInterface } from "../../host/interface.ts";
import type { Context } from "../../shell/program.ts";

export interface IpOptions {
  readonly family: Family | undefined;
  readonly isOneLine: boolean;
  readonly isBrief: boolean;
}

/** ip's exit codes: what it finds itself, and what the kernel refuses. */
export const EXIT = { wrong: 1, refused: 2, unknown: 255 } as const;

/** What ends a command: its words on stderr, and the exit code. */
export class IpFailure extends Error {
  override readonly name = "IpFailure";
  readonly status: number;

  constructor(message: string, status: number = EXIT.wrong) {
    super(message);
    this.status = status;
  }
}

export function refused(why: string): IpFailure {
  return new IpFailure(`RTNETLINK answers: ${why}`, EXIT.refused);
}

/** Words with keywords among them, taken from left to right. */
export class Arguments {
  readonly #words: string[];

  constructor(words: readonly string[]) {
    this.#words = [...words];
  }

  get next(): string | undefined {
    return this.#words[0];
  }

  take(): string | undefined {
    return this.#words.shift();
  }

  /** The value of a keyword. */
  value(keyword: string): string {
    const value = this.#words.shift();
    if (value === undefined) {
      throw new IpFailure(`Command line is not complete. Try option "help"`, EXIT.unknown);
    }
    if (keyword === "") throw new IpFailure(`what is "${value}"?`, EXIT.unknown);
    return value;
  }
}

export function interfaceOf({ host }: Context, name: string): NetworkInterface {
  const card = host.interface(name);
  if (card === undefined) throw new IpFailure(`Cannot find device "${name}"`);
  return card;
}

/** As `show` and its like complain. */
export function shownInterface({ host }: Context, name: string): NetworkInterface {
  const card = host.interface(name);
  if (card === undefined) throw new IpFailure(`Device "${name}" does not exist.`);
  return card;
}

export function addressIn(text: string, what = "inet"): Address {
  const address = Address.parse(text);
  if (address === undefined) {
    throw new IpFailure(`Error: ${what} address is expected rather than "${text}".`);
  }
  return address;
}

export function prefixIn(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined) {
    throw new IpFailure(`Error: any valid prefix is expected rather than "${text}".`);
  }
  return prefix;
}

/** Whether `word` is one of the names, or the beginning of one, as ip takes them. */
export function means(word: string | undefined, ...names: readonly string[]): boolean {
  return word !== undefined && names.some((name) => name.startsWith(word));
}
