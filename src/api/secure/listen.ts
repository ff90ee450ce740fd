/**
 * The API over TCP: with TLS and tokens, or not at all. Loaded when the daemon is told to.
 *
 * Each request bears its token (RFC 6750 2.1: Authorization: Bearer). Its Host must be a name that the certificate is for, so
 * that no page of the web reaches it by a name of its own; one with an Origin is refused, unless that is our own (/ui). What is
 * commanded is logged.
 */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { createServer, type Server } from "node:https";
import { isIP } from "node:net";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import type { Hono } from "hono";
import { formatListenPlace, type ListenPlace } from "../../configuration/listen-place.ts";
import { isForPages, neededRight, refusal, refusalOf } from "../access.ts";
import type { CallerBindings } from "../caller.ts";
import { nameIn } from "../host-name.ts";
import { limitConnections, TIMEOUTS } from "../limits.ts";
import { ListenError } from "../listen.ts";
import { retire } from "../retire.ts";
import { Turns } from "../turns.ts";
import { Attempts } from "./attempts.ts";
import { type Token, TokenError, type Tokens } from "./tokens.ts";

export interface SecurePlace extends ListenPlace {
  /** PEM files: the certificate with those between it and its authority, and its key. */
  readonly certificate: string;
  readonly key: string;
}

/** What a listener may get anew while it goes on listening. */
export interface SecureFiles {
  readonly place: SecurePlace;
  readonly tokens: Tokens;
}

/** What is done, or tried, is told of: who, what, and how it went. */
export interface AuditRecord {
  readonly token: string | null;
  readonly address: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

export interface SecureOptions {
  readonly tokens: Tokens;
  /** A command, whatever became of it. */
  readonly onCall: (record: AuditRecord) => void;
  /** Somebody without a token, or without the right one: an address's first in a minute. */
  readonly onRefused: (record: AuditRecord, why: string) => void;
  readonly onTrouble: (message: string) => void;
}

export interface SecureListening extends AsyncDisposable {
  /** The one that it has got, where 0 was asked for. */
  readonly port: number;
  /** Takes over a certificate that was renewed, or other files. Throws a ListenError, and goes on with those before. */
  renew(files?: SecureFiles): void;
  /** Nobody else comes in; resolves when the last one is gone. */
  retire(): Promise<void>;
}

const HEADER_MAX_BYTES = 16 * 1024;
const BEARER = /^bearer +([\w.~+/=-]{1,200})$/i;

const WHO_MAY = {
  read: "a token",
  write: "a token of the scope admin",
} as const;

/** Rejects with a ListenError when the port or the certificate cannot be had. */
export async function listenSecurely(
  app: Hono,
  place: SecurePlace,
  options: SecureOptions,
): Promise<SecureListening> {
  let identity = identityOf(place);
  let files: SecureFiles = { place, tokens: options.tokens };
  const gate = new Gate(
    () => identity.certificate,
    () => files.tokens,
    options,
  );
  const turns = new Turns();
  const answer = getRequestListener(async (request, env) => {
    await turns.take();
    const { incoming } = env as HttpBindings;
    return await gate.pass(request, incoming, (caller) =>
      app.fetch(request, { ...env, ...caller }),
    );
  });
  const server = createServer(
    {
      ...TIMEOUTS,
      ...identity.pem,
      minVersion: "TLSv1.2",
      maxHeaderSize: HEADER_MAX_BYTES,
      handshakeTimeout: TIMEOUTS.headersTimeout,
    },
    (incoming, outgoing) => {
      answer(incoming, outgoing).catch(() => outgoing.destroy());
    },
  );
  // What is no TLS, or breaks off: the caller's affair.
  server.on("tlsClientError", (_, socket) => socket.destroy());
  await bind(server, place);
  limitConnections(server, options.onTrouble);
  const bound = server.address();
  return {
    port: typeof bound === "object" && bound !== null ? bound.port : place.port,
    renew(next = files) {
      const nextIdentity = identityOf(next.place);
      server.setSecureContext(nextIdentity.pem);
      identity = nextIdentity;
      files = next;
    },
    retire: () => retire(server),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Whom a request is from, and whether it may. */
class Gate {
  readonly #certificate: () => X509Certificate;
  readonly #tokens: () => Tokens;
  readonly #options: Omit<SecureOptions, "tokens">;
  readonly #attempts = new Attempts();

  constructor(
    certificate: () => X509Certificate,
    tokens: () => Tokens,
    options: Omit<SecureOptions, "tokens">,
  ) {
    this.#certificate = certificate;
    this.#tokens = tokens;
    this.#options = options;
  }

  async pass(
    request: Request,
    incoming: IncomingMessage,
    answer: (caller: CallerBindings) => Response | Promise<Response>,
  ): Promise<Response> {
    const address = incoming.socket.remoteAddress ?? "";
    const { method } = request;
    const path = new URL(request.url).pathname;
    const record = (token: Token | undefined, status: number): AuditRecord => ({
      token: token?.name ?? null,
      address,
      method,
      path,
      status,
    });
    if (!isNameOf(this.#certificate(), nameIn(incoming.headers.host))) {
      return refusal(
        421,
        "misdirected",
        "The Host is no name that this daemon's certificate is for",
      );
    }
    // A browser brings no token with the first page, which is where it is asked for.
    if (isForPages(method, incoming.url ?? "")) {
      return refusalOf(request, "read", WHO_MAY, ownOrigin(incoming)) ?? (await answer({}));
    }
    const waitSeconds = this.#attempts.waitSeconds(address);
    if (waitSeconds > 0) {
      const after = { "retry-after": String(waitSeconds) };
      return refusal(429, "too-many-attempts", "Too many attempts without a token: wait", after);
    }
    let token: Token | undefined;
    try {
      token = await this.#tokenOf(incoming.headers.authorization);
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      this.#options.onTrouble(error.message);
      return refusal(503, "tokens-unusable", "The daemon cannot read its tokens: its log says why");
    }
    if (token === undefined) {
      const why = incoming.headers.authorization === undefined ? "no token" : "an unknown token";
      if (this.#attempts.fail(address)) this.#options.onRefused(record(undefined, 401), why);
      const asking = { "www-authenticate": 'Bearer realm="sluice"' };
      return refusal(401, "no-token", "This needs a token: sluice token create", asking);
    }
    const right = token.scope === "admin" ? "write" : "read";
    const refused = refusalOf(request, right, WHO_MAY, ownOrigin(incoming));
    if (refused !== undefined) {
      if (this.#attempts.fail(address)) this.#options.onRefused(record(token, 403), "its scope");
      return refused;
    }
    const response = await answer({ tokenName: token.name });
    if (neededRight(method, path) === "write") this.#options.onCall(record(token, response.status));
    return response;
  }

  async #tokenOf(authorization: string | undefined): Promise<Token | undefined> {
    const [, secret] = BEARER.exec(authorization ?? "") ?? [];
    return secret === undefined ? undefined : await this.#tokens().find(secret);
  }
}

/** Of the pages that we serve ourselves: the Host was found to be ours before. */
function ownOrigin(incoming: IncomingMessage): string {
  return `https://${incoming.headers.host}`;
}

function isNameOf(certificate: X509Certificate, name: string): boolean {
  if (name === "") return false;
  return (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined;
}

interface Identity {
  readonly pem: { readonly cert: Buffer; readonly key: Buffer };
  readonly certificate: X509Certificate;
}

function identityOf(place: SecurePlace): Identity {
  try {
    const pem = { cert: readFileSync(place.certificate), key: readFileSync(place.key) };
    return { pem, certificate: new X509Certificate(pem.cert) };
  } catch (error) {
    throw unusable(place, error);
  }
}

function bind(server: Server, place: ListenPlace): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(unusable(place, error)));
    server.listen({ host: place.address, port: place.port }, resolve);
  });
}

function unusable(place: ListenPlace, error: unknown): ListenError {
  return new ListenError(
    `--api ${formatListenPlace(place)} cannot be used: ${(error as Error).message}`,
    { cause: error },
  );
}
