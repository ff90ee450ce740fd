/** `curl`: requests over HTTP, in curl's words where they fail. */
import { Address } from "../../net/address.ts";
import type { Port } from "../../net/port.ts";
import { bytesOf } from "../http/bytes.ts";
import { resolvePath } from "../shell/files.ts";
import { type Context, waitFor } from "../shell/program.ts";
import type { TcpConnection } from "../tcp/connection.ts";
import type { Work } from "../time/waiting.ts";
import { addressOf } from "./names.ts";
import { readOptions } from "./options.ts";

const LONG_OPTIONS = {
  "max-time": true,
  "connect-timeout": true,
  interface: true,
  "data-binary": true,
  data: true,
  output: true,
  silent: false,
  "show-error": false,
  fail: false,
  "no-buffer": false,
  head: false,
  include: false,
  verbose: false,
  noproxy: true,
  "write-out": true,
} as const;

const EXIT = {
  noUrl: 2,
  unresolved: 6,
  refused: 7,
  interface: 45,
  timedOut: 28,
  empty: 52,
  broken: 56,
} as const;
const USER_AGENT = "curl/7.88.1";

interface Settings {
  readonly maxMs: number;
  readonly connectMs: number;
  readonly isSilent: boolean;
  readonly from: string | undefined;
  readonly body: Uint8Array | undefined;
  readonly output: string | undefined;
  readonly showsHead: boolean;
  readonly isVerbose: boolean;
  readonly afterwards: string | undefined;
}

interface Url {
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

export function* curl(words: readonly string[], context: Context): Work<number> {
  const { err } = context;
  const { values, operands, fault } = readOptions(words, "sSfNvigGkL46Im:o:d:w:H:X:", LONG_OPTIONS);
  if (fault !== undefined) {
    err.write(
      `curl: ${fault.replace(/^unrecognized option '(.*)'/, "option $1: is unknown")}\ncurl: try 'curl --help' or 'curl --manual' for more information\n`,
    );
    return EXIT.noUrl;
  }
  if (operands.length === 0) {
    err.write(
      "curl: no URL specified!\ncurl: try 'curl --help' or 'curl --manual' for more information\n",
    );
    return EXIT.noUrl;
  }
  const value = (short: string, long: string): string | undefined =>
    values.get(short) ?? values.get(long);
  const has = (short: string, long: string): boolean => values.has(short) || values.has(long);
  const data = value("d", "data-binary") ?? values.get("data");
  const body = data === undefined ? undefined : bodyOf(data, context);
  if (body === "missing") return fail(26, `Failed to open ${data!.slice(1)}`, false, context);
  const seconds = (text: string | undefined): number =>
    Number(text ?? Number.POSITIVE_INFINITY) * 1_000;
  const settings: Settings = {
    maxMs: seconds(value("m", "max-time")),
    connectMs: seconds(values.get("connect-timeout")),
    isSilent: has("s", "silent") && !has("S", "show-error"),
    from: values.get("interface"),
    body,
    output: value("o", "output"),
    showsHead: has("i", "include") || has("I", "head"),
    isVerbose: has("v", "verbose"),
    afterwards: value("w", "write-out"),
  };
  let status = 0;
  for (const text of operands) {
    const url = urlOf(text);
    if (url === undefined)
      status = fail(3, "URL using bad/illegal format or missing URL", settings.isSilent, context);
    else status = yield* new Request(url, settings, context).run();
    if (settings.afterwards !== undefined) {
      const code = status === 0 ? "200" : "000";
      context.out.write(
        settings.afterwards.replaceAll("%{http_code}", code).replaceAll("\\n", "\n"),
      );
    }
    if (context.process.isInterrupted) return 130;
  }
  return status;
}

class Request {
  readonly #url: Url;
  readonly #settings: Settings;
  readonly #context: Context;
  readonly #beganAt: number;

  constructor(url: Url, settings: Settings, context: Context) {
    this.#url = url;
    this.#settings = settings;
    this.#context = context;
    this.#beganAt = context.host.agenda.now();
  }

  *run(): Work<number> {
    const { host, port } = this.#url;
    const address = addressOf(host, this.#context);
    if (address === undefined)
      return this.#fail(EXIT.unresolved, `Could not resolve host: ${host}`);
    const from = this.#source(address);
    if (from === "unknown") {
      return this.#fail(
        EXIT.interface,
        "bind failed with errno 99: Cannot assign requested address",
      );
    }
    const connection = this.#context.host.tcp.connect({ address, port: port as Port }, from);
    if (typeof connection === "string") return this.#couldNot();
    try {
      return yield* this.#talk(connection);
    } finally {
      if (connection.state !== "CLOSED") {
        if (connection.isAtEnd || connection.queues.received === 0) connection.close();
        else connection.abort();
      }
    }
  }

  *#talk(connection: TcpConnection): Work<number> {
    const { maxMs, connectMs, isVerbose } = this.#settings;
    const { process, err } = this.#context;
    const limitAt = this.#beganAt + maxMs;
    const untilMs = Math.min(limitAt, this.#beganAt + connectMs);
    const isOpening = (): boolean => connection.state === "SYN-SENT";
    yield* waitFor(this.#context, { untilMs, isDone: () => !isOpening() });
    if (process.isInterrupted) return 130;
    if (isOpening()) {
      return maxMs <= connectMs
        ? this.#fail(EXIT.timedOut, `Connection timed out after ${this.#elapsed} milliseconds`)
        : this.#fail(
            EXIT.timedOut,
            `Failed to connect to ${this.#url.host} port ${this.#url.port} after ${this.#elapsed} ms: Timeout was reached`,
          );
    }
    if (connection.error !== undefined) return this.#couldNot();
    if (isVerbose)
      err.write(
        `* Connected to ${this.#url.host} (${connection.ends.peer}) port ${this.#url.port} (#0)\n`,
      );
    this.#send(connection);
    return yield* this.#receive(connection, limitAt);
  }

  #send(connection: TcpConnection): undefined {
    const { host, port, path } = this.#url;
    const { body } = this.#settings;
    const named = port === 80 ? host : `${host}:${port}`;
    const length =
      body === undefined
        ? ""
        : `Content-Length: ${body.length}\r\nContent-Type: application/x-www-form-urlencoded\r\n`;
    const head = `${body === undefined ? "GET" : "POST"} ${path} HTTP/1.1\r\nHost: ${named}\r\nUser-Agent: ${USER_AGENT}\r\nAccept: */*\r\n${length}\r\n`;
    connection.write(new TextEncoder().encode(head));
    if (body !== undefined) connection.write(body);
  }

  *#receive(connection: TcpConnection, untilMs: number): Work<number> {
    const { showsHead, output, isVerbose } = this.#settings;
    const { out, err, files, process, host, shell } = this.#context;
    let head: string | undefined;
    let text = "";
    let shown = "";
    let count = 0;
    const take = (): void => {
      const bytes = connection.read();
      if (bytes.length === 0) return;
      text += new TextDecoder().decode(bytes);
      if (head === undefined) {
        const end = text.indexOf("\r\n\r\n");
        if (end < 0) return;
        head = text.slice(0, end + 4);
        text = text.slice(end + 4);
        if (isVerbose) err.write(head.replace(/^/gm, "< "));
        if (showsHead) out.write(head);
      }
      count += text.length;
      if (output === undefined) out.write(text);
      else shown += text;
      text = "";
    };
    for (;;) {
      take();
      if (connection.isAtEnd || connection.error !== undefined) break;
      if (process.isInterrupted) return 130;
      if (host.agenda.now() >= untilMs) {
        return this.#fail(
          EXIT.timedOut,
          `Operation timed out after ${this.#elapsed} milliseconds with ${count} bytes received`,
        );
      }
      const isDone = (): boolean =>
        connection.queues.received > 0 || connection.isAtEnd || connection.error !== undefined;
      yield* waitFor(this.#context, { untilMs, isDone });
    }
    take();
    if (output !== undefined) files.write(resolvePath(shell.directory, output), shown, false);
    if (connection.error === "ECONNRESET")
      return this.#fail(EXIT.broken, "Recv failure: Connection reset by peer");
    if (connection.error !== undefined)
      return this.#fail(EXIT.broken, "Recv failure: Connection timed out");
    return head === undefined ? this.#fail(EXIT.empty, "Empty reply from server") : 0;
  }

  #source(destination: Address): Address | undefined | "unknown" {
    const { from } = this.#settings;
    if (from === undefined) return undefined;
    const { host } = this.#context;
    const own = host
      .interface(from)
      ?.addresses.find(({ address }) => address.family === destination.family);
    const address = own?.address ?? Address.parse(from);
    return address !== undefined && host.isLocal(address) ? address : "unknown";
  }

  get #elapsed(): number {
    return Math.round(this.#context.host.agenda.now() - this.#beganAt);
  }

  #couldNot(): number {
    const { host, port } = this.#url;
    return this.#fail(
      EXIT.refused,
      `Failed to connect to ${host} port ${port} after ${this.#elapsed} ms: Couldn't connect to server`,
    );
  }

  #fail(status: number, message: string): number {
    return fail(status, message, this.#settings.isSilent, this.#context);
  }
}

function fail(status: number, message: string, isSilent: boolean, { err }: Context): number {
  if (!isSilent) err.write(`curl: (${status}) ${message}\n`);
  return status;
}

function urlOf(text: string): Url | undefined {
  const found = /^(?:http:\/\/)?(\[[0-9a-fA-F:.]+\]|[^:/?#]+)(?::(\d+))?(\/.*)?$/.exec(text);
  if (found === null) return undefined;
  const [, host = "", port = "80", path = "/"] = found;
  return { host, port: Number(port), path };
}

/** Files hold bytes as letters of the same number. */
function bodyOf(data: string, { files, shell }: Context): Uint8Array | "missing" {
  if (!data.startsWith("@")) return new TextEncoder().encode(data);
  const content = files.read(resolvePath(shell.directory, data.slice(1)));
  if (content === undefined) return "missing";
  return bytesOf(content);
}
