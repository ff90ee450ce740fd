/** One request and its answer, by HTTP/1.1 or HTTP/2, over a connection that is there already, and that the caller ends. */
import { request } from "node:http";
import { connect } from "node:http2";
import type { Duplex, Readable } from "node:stream";
import { ProbeFailure, waitFor, whyOf } from "./probe.ts";

export interface HttpQuestion {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly content?: Uint8Array;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: HttpFields;
  readonly body: Readable;
  /** What came after the body, which must have been read: RFC 9110 section 6.5. */
  trailers(): HttpFields;
}

type HttpFields = Readonly<Record<string, string | readonly string[] | number | undefined>>;

/** A page's headers fit in by far; Node's own limit for servers. */
const HEADERS_MAX_BYTES = 16_384;
const HEADERS_MAX_COUNT = 200;

export function exchangeHttp1(
  connection: Duplex,
  { method, path, host, headers, content }: HttpQuestion,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  return waitFor<HttpAnswer>(signal, "the answer's headers", (resolve, reject) => {
    const outgoing = request({
      createConnection: () => connection,
      method,
      path,
      headers: withHost(headers, host),
      setHost: false,
      maxHeaderSize: HEADERS_MAX_BYTES,
    });
    outgoing.on("error", (error) => reject(new ProbeFailure(http1Fault(error))));
    outgoing.on("upgrade", () => reject(new ProbeFailure("the server changed the protocol")));
    outgoing.on("response", (body) => {
      body.on("error", () => {});
      resolve({
        status: body.statusCode ?? 0,
        headers: body.headers,
        body,
        trailers: () => body.trailers,
      });
    });
    outgoing.end(content);
  });
}

/** `scheme` is what the request says of itself, as it does whom it is for: RFC 9113 section 8.3.1. */
export function exchangeHttp2(
  connection: Duplex,
  scheme: "http" | "https",
  { method, path, host, headers, content }: HttpQuestion,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  return waitFor<HttpAnswer>(signal, "the answer's headers", (resolve, reject) => {
    const session = connect(`${scheme}://localhost`, {
      createConnection: () => connection,
      settings: { enablePush: false, maxHeaderListSize: HEADERS_MAX_BYTES },
      maxHeaderListPairs: HEADERS_MAX_COUNT,
      maxSessionMemory: 1,
    });
    const fail = (error: Error) => reject(new ProbeFailure(http2Fault(error)));
    session.on("error", fail);
    session.on("close", () => reject(new ProbeFailure("the server closed the connection")));
    const body = session.request({
      ...headers,
      ":method": method,
      ":path": path,
      ":scheme": scheme,
      ":authority": host,
    });
    body.on("error", fail);
    body.on("close", () => reject(new ProbeFailure("the server ended the request unanswered")));
    let last: HttpFields = {};
    body.on("trailers", (fields) => {
      last = fields;
    });
    body.on("response", (answered) => {
      resolve({
        status: answered[":status"] ?? 0,
        headers: answered,
        body,
        trailers: () => last,
      });
    });
    body.end(content);
  });
}

function withHost(headers: Readonly<Record<string, string>>, host: string) {
  return { host, ...headers, connection: "close" };
}

function http1Fault(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "HPE_HEADER_OVERFLOW")
    return `the answer's headers are longer than ${HEADERS_MAX_BYTES} bytes`;
  if (code?.startsWith("HPE_"))
    return `not an answer of HTTP: ${error.message.replace(/^Parse Error: /, "")}`;
  if (code === "ECONNRESET" && error.message === "socket hang up") {
    return "the server closed the connection without an answer";
  }
  return whyOf(error);
}

function http2Fault(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ERR_HTTP2_ERROR" ? `not an answer of HTTP/2: ${error.message}` : whyOf(error);
}
