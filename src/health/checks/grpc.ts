/**
 * gRPC's health checking protocol, grpc.health.v1.Health/Check, by hand over HTTP/2: its two messages have one field each,
 * and a library for gRPC would make its own sockets, which then could not be bound as `source` says.
 *
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md and doc/PROTOCOL-HTTP2.md.
 */
import { readBody } from "./body.ts";
import { connectTcp, shared } from "./connection.ts";
import type { GrpcSettings } from "./grpc-settings.ts";
import { authorityOf, withoutPort } from "./http-authority.ts";
import { exchangeHttp2, type HttpAnswer } from "./http-exchange.ts";
import { checker, ProbeFailure, quoted } from "./probe.ts";
import { secure } from "./secure.ts";

const MESSAGE_MAX_BYTES = 4_096;

/** enum ServingStatus of HealthCheckResponse. */
const SERVING_STATUS = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const SERVING = 1;

/** doc/statuscodes.md. */
const STATUS_NAMES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

export const grpc = checker<GrpcSettings>(async (target, settings, signal) => {
  const { service = "", tls = false } = settings;
  const host = settings.host ?? authorityOf(target, 0);
  const connection = await connectTcp(target, signal);
  using _ = shared(connection);
  const name = settings.host === undefined ? target.address : withoutPort(settings.host);
  const secured = tls ? await secure(connection, name, settings, ["h2"], signal) : undefined;
  if (secured !== undefined && secured.socket.alpnProtocol !== "h2") {
    throw new ProbeFailure("the server does not speak HTTP/2");
  }
  const question = {
    method: "POST",
    path: "/grpc.health.v1.Health/Check",
    host,
    headers: { "content-type": "application/grpc", te: "trailers", "user-agent": "sluice" },
    content: requestOf(service),
  };
  const answer = await exchangeHttp2(
    secured?.socket ?? connection,
    tls ? "https" : "http",
    question,
    signal,
  );
  const { bytes } = await readBody(answer.body, true, undefined, MESSAGE_MAX_BYTES, signal);
  refuseError(answer);
  const status = servingStatus(bytes);
  return {
    up: status === SERVING,
    why: SERVING_STATUS[status] ?? `serving status ${status}`,
    ...(secured?.warning !== undefined && { warning: secured.warning }),
  };
});

/** HealthCheckRequest, in a length-prefixed message that is not compressed. */
function requestOf(service: string): Uint8Array {
  const name = Buffer.from(service);
  const field = name.length === 0 ? [] : [Buffer.from([0x0a, ...varint(name.length)]), name];
  const message = Buffer.concat(field);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** The call's own status, in the trailers, or in the headers when there is nothing else. */
function refuseError(answer: HttpAnswer): void {
  const { status } = answer;
  const fields = { ...answer.headers, ...answer.trailers() };
  const code = fields["grpc-status"];
  if (code === undefined) {
    if (status !== 200) throw new ProbeFailure(`status ${status}, expected 200`);
    throw new ProbeFailure("not an answer of gRPC: it has no grpc-status");
  }
  if (code === "0") return;
  const name = STATUS_NAMES[Number(code)] ?? quoted(String(code));
  const message = fields["grpc-message"];
  const said = message === undefined ? "" : `: ${quoted(decoded(String(message)))}`;
  throw new ProbeFailure(`gRPC status ${name}${said}`);
}

/** Of the first message, field 1 of HealthCheckResponse; 0 when it is not there, as in all of proto3. */
function servingStatus(bytes: Buffer): number {
  if (bytes.length < 5 || bytes[0] !== 0 || bytes.readUInt32BE(1) > bytes.length - 5) {
    throw new ProbeFailure("not a message of gRPC");
  }
  const message = bytes.subarray(5, 5 + bytes.readUInt32BE(1));
  let status = 0;
  for (let at = 0; at < message.length; ) {
    const [tag, afterTag] = readVarint(message, at);
    const [value, afterValue] = readVarint(message, afterTag);
    // Wire types: 0 varint, 1 eight bytes, 2 so many bytes, 5 four bytes.
    const wireType = tag & 7;
    if (tag === 0x08) status = value;
    if (wireType === 0) at = afterValue;
    else if (wireType === 1) at = afterTag + 8;
    else if (wireType === 2) at = afterValue + value;
    else if (wireType === 5) at = afterTag + 4;
    else throw new ProbeFailure("not a HealthCheckResponse");
  }
  return status;
}

/** What stands at `at`, up to 35 bits as no length here is longer, and where it ends; 0 past the message's end. */
function readVarint(bytes: Buffer, at: number): [value: number, next: number] {
  let value = 0;
  for (let index = 0; index < 5; index++) {
    const byte = bytes[at + index] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return [value, at + index + 1];
  }
  throw new ProbeFailure("not a HealthCheckResponse");
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

/** Percent-encoded, and not always well. */
function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
