/** Asks a name server: RFC 1035. Up when the response code and the answers are the expected ones. */
import { randomInt } from "node:crypto";
import type { Answer, DecodedPacket, Packet, RecordType } from "dns-packet";
import { Address } from "../../net/address.ts";
import type { ProbeTarget } from "../checker.ts";
import { connectTcp, connectUdp, datagramFault } from "./connection.ts";
import { Conversation } from "./conversation.ts";
import type { DnsSettings } from "./dns-settings.ts";
import { checker, ProbeFailure, quoted, waitFor } from "./probe.ts";

/** The library's types leave out what every decoded message has. */
type Response = DecodedPacket & { readonly rcode?: string; readonly flag_tc?: boolean };

const LENGTH_BYTES = 2;
const MESSAGE_MAX_BYTES = 65_535;

export const dns = checker<DnsSettings>(async (target, settings, signal) => {
  const { encode, RECURSION_DESIRED } = await import("dns-packet");
  const { name = ".", query = "SOA", recursion = true, rcode = "NOERROR" } = settings;
  const id = randomInt(0x1_0000);
  const question: Packet = {
    type: "query",
    id,
    flags: recursion ? RECURSION_DESIRED : 0,
    questions: [{ type: query satisfies RecordType, name }],
  };
  const asked = encode(question);
  const { transport = "udp" } = settings;
  const overUdp = transport === "udp" ? await askByUdp(target, asked, id, signal) : undefined;
  // What did not fit is asked for again: RFC 7766 section 5.
  const isWhole = overUdp !== undefined && overUdp.flag_tc !== true;
  const response = isWhole ? overUdp : await askByTcp(target, asked, id, signal);
  if (response.rcode !== rcode) {
    throw new ProbeFailure(`response code ${response.rcode}, expected ${rcode}`);
  }
  return judge(response.answers ?? [], settings.answers ?? []);
});

async function askByUdp(
  target: ProbeTarget,
  asked: Buffer,
  id: number,
  signal: AbortSignal,
): Promise<Response> {
  const { decode } = await import("dns-packet");
  const socket = await connectUdp(target, signal);
  try {
    return await waitFor<Response>(signal, "a response", (resolve, reject) => {
      socket.on("message", (bytes) => {
        const message = decodedOr(decode, bytes);
        if (message?.type === "response" && message.id === id) resolve(message);
      });
      socket.once("error", (error) => reject(datagramFault(error)));
      socket.send(asked, (error) => {
        if (error !== null) reject(datagramFault(error));
      });
    });
  } finally {
    socket.close();
  }
}

/** A message has its length before it: RFC 1035 section 4.2.2. */
async function askByTcp(
  target: ProbeTarget,
  asked: Buffer,
  id: number,
  signal: AbortSignal,
): Promise<Response> {
  const { decode } = await import("dns-packet");
  using server = new Conversation(await connectTcp(target, signal), signal);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(asked.length);
  server.send(Buffer.concat([length, asked]));
  const bytes = await server.read(
    "a response over TCP",
    messageOf,
    LENGTH_BYTES + MESSAGE_MAX_BYTES,
  );
  const message = decodedOr(decode, bytes);
  if (message?.type === "response" && message.id === id) return message;
  throw new ProbeFailure("not a response to the question, over TCP");
}

function messageOf(received: Buffer): Buffer | undefined {
  if (received.length < LENGTH_BYTES) return undefined;
  const end = LENGTH_BYTES + received.readUInt16BE(0);
  return received.length < end ? undefined : received.subarray(LENGTH_BYTES, end);
}

/** What is no message, or not one that can be understood, is not waited for, but neither does it end the wait. */
function decodedOr(decode: (bytes: Buffer) => DecodedPacket, bytes: Buffer): Response | undefined {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}

function judge(answers: readonly Answer[], expected: readonly string[]) {
  // Servers turn them round; a reason that changes each time would be told each time.
  const found = answers.map(textOf).toSorted();
  const missing = expected.find((text) => !found.some((each) => isSame(each, text)));
  if (missing === undefined) {
    return { up: true, why: found.length === 0 ? "responds" : `answers ${found.join(", ")}` };
  }
  const shown = found.length === 0 ? "there are none" : `they are ${quoted(found.join(", "))}`;
  return { up: false, why: `no ${quoted(missing)} among the answers: ${shown}` };
}

/** A record's data as a zone file has it. */
function textOf(answer: Answer): string {
  const { data } = answer as { data: unknown };
  if (typeof data === "string") return data;
  if (Buffer.isBuffer(data)) return data.toString("utf8");
  if (Array.isArray(data)) return data.map(String).join("");
  if (typeof data !== "object" || data === null) return "";
  return Object.values(data)
    .map((value) => (Buffer.isBuffer(value) ? value.toString("base64") : String(value)))
    .join(" ");
}

/** Names are the same with and without their last dot and in whatever letters, addresses in whatever spelling. */
function isSame(one: string, other: string): boolean {
  return plain(one) === plain(other);
}

function plain(text: string): string {
  const address = Address.parse(text);
  if (address !== undefined) return address.toString();
  return text.toLowerCase().replace(/\.$/, "");
}
