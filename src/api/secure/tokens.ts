/**
 * Who may use the API over TCP: tokens, of which a file has names, scopes and hashes, and nobody the tokens themselves.
 *
 * A token is 32 random bytes, so a fast hash keeps it: there is nothing to guess, which is all that a slow one (scrypt) would
 * make dear. Hashes are compared in constant time, each of them, so that neither the time of an answer nor its being there
 * tells how near a guess was.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { z } from "zod";
import { replaceFile, writeAll } from "../../control/regular-file.ts";

export const SCOPES = ["read", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

export interface Token {
  readonly name: string;
  readonly scope: Scope;
  /** As ISO 8601 has it. */
  readonly createdAt: string;
}

interface KeptToken extends Token {
  readonly sha256: string;
}

/** The file, or what is asked of it, cannot be; the message says why. */
export class TokenError extends Error {
  override readonly name = "TokenError";
}

const NAME = /^[\w.@-]{1,64}$/;
const SECRET_BYTES = 32;
/** So that scanners of leaked secrets, and people, know one when they see it. */
const PREFIX = "sluice_";
const TOKENS_MAX = 1_000;
/** Whoever could write it could make himself a token. */
const WRITABLE_BY_OTHERS = 0o022;

const FILE = z.strictObject({
  tokens: z
    .array(
      z.strictObject({
        name: z.string().regex(NAME),
        scope: z.enum(SCOPES),
        createdAt: z.string(),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    )
    .max(TOKENS_MAX),
});

/** Read anew whenever somebody has written it: a token that is revoked is so at once. */
export class Tokens {
  readonly #path: string;
  #kept: readonly KeptToken[] = [];
  #version = "";

  constructor(path: string) {
    this.#path = path;
  }

  /** Rejects with a TokenError when the file cannot be used; one that is not there has none. */
  async list(): Promise<readonly Token[]> {
    await this.#read();
    return this.#kept.map(({ name, scope, createdAt }) => ({ name, scope, createdAt }));
  }

  /** Resolves to the secret, which is told this once. */
  async create(name: string, scope: Scope): Promise<string> {
    if (!NAME.test(name)) {
      throw new TokenError(
        `${JSON.stringify(name)} is no token's name: expected up to 64 letters, digits, "_", ".", "@" and "-"`,
      );
    }
    await this.#read();
    if (this.#kept.some((each) => each.name === name)) {
      throw new TokenError(`there is a token ${name} already: revoke it, or choose another name`);
    }
    if (this.#kept.length >= TOKENS_MAX) {
      throw new TokenError(`there are ${TOKENS_MAX} tokens already: revoke some`);
    }
    const secret = PREFIX + randomBytes(SECRET_BYTES).toString("base64url");
    const createdAt = new Date().toISOString();
    const sha256 = hashOf(secret).toString("hex");
    await this.#write([...this.#kept, { name, scope, createdAt, sha256 }]);
    return secret;
  }

  async revoke(name: string): Promise<void> {
    await this.#read();
    const rest = this.#kept.filter((each) => each.name !== name);
    if (rest.length === this.#kept.length) throw new TokenError(`there is no token ${name}`);
    await this.#write(rest);
  }

  /** Whose `secret` is; undefined: nobody's. */
  async find(secret: string): Promise<Token | undefined> {
    await this.#read();
    const hash = hashOf(secret);
    let found: Token | undefined;
    for (const each of this.#kept) {
      if (timingSafeEqual(hash, Buffer.from(each.sha256, "hex"))) found = each;
    }
    return found;
  }

  async #read(): Promise<void> {
    let status: Awaited<ReturnType<typeof stat>>;
    try {
      status = await stat(this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw this.#unusable(error);
      this.#kept = [];
      this.#version = "";
      return;
    }
    const version = `${status.ino} ${status.size} ${status.mtimeMs}`;
    if (version === this.#version) return;
    if ((status.mode & WRITABLE_BY_OTHERS) !== 0) {
      throw new TokenError(
        `${this.#path} can be written by others than its owner, who could make themselves tokens: chmod 600 ${this.#path}`,
      );
    }
    try {
      const { tokens } = FILE.parse(JSON.parse(await readFile(this.#path, "utf8")));
      this.#kept = tokens;
      this.#version = version;
    } catch (error) {
      throw this.#unusable(error);
    }
  }

  async #write(tokens: readonly KeptToken[]): Promise<void> {
    try {
      const bytes = Buffer.from(`${JSON.stringify({ tokens }, undefined, 2)}\n`);
      const file = await replaceFile(this.#path, (next) => writeAll(next, bytes, 0));
      await file.close();
    } catch (error) {
      throw this.#unusable(error);
    }
    this.#version = "";
  }

  #unusable(error: unknown): TokenError {
    const { message } = error as Error;
    return new TokenError(`${this.#path} cannot be used: ${message.split("\n", 1)[0]}`);
  }
}

function hashOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
