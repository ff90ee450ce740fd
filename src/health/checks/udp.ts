/** Sends a datagram: as keepalived's UDP_CHECK (check_udp.c), down when ICMP says so or the reply is not the expected one. */
import { connectUdp, datagramFault } from "./connection.ts";
import { checker, LateFailure, ProbeFailure, waitFor } from "./probe.ts";
import type { UdpSettings } from "./udp-settings.ts";

const DATAGRAM_MAX_BYTES = 65_507;

export const udp = checker<UdpSettings>(async (target, settings, signal) => {
  const { reply = false } = settings;
  const socket = await connectUdp(target, signal);
  try {
    const answer = waitFor<Buffer>(signal, "a reply", (resolve, reject) => {
      socket.once("message", resolve);
      socket.once("error", (error) => reject(datagramFault(error)));
      socket.send(payloadOf(settings), (error) => {
        if (error !== null) reject(datagramFault(error));
      });
    });
    const received = reply === false ? await orSilence(answer) : await answer;
    if (received === undefined) return { up: true, why: "not refused" };
    if (reply !== false) expectReply(received, settings);
    return { up: true, why: "a reply" };
  } finally {
    socket.close();
  }
});

/** Who need not reply is up when the time is over and nothing was heard. */
async function orSilence(answer: Promise<Buffer>): Promise<Buffer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof LateFailure) return undefined;
    throw error;
  }
}

function payloadOf({ payload = "" }: UdpSettings): Buffer {
  return typeof payload === "string"
    ? Buffer.from(payload)
    : Buffer.from(payload.hex.replaceAll(/\s/g, ""), "hex");
}

function expectReply(received: Buffer, settings: UdpSettings): void {
  const { reply, replyBytesLeast = 0, replyBytesMost = DATAGRAM_MAX_BYTES } = settings;
  const { length } = received;
  if (length < replyBytesLeast || length > replyBytesMost) {
    throw new ProbeFailure(
      `a reply of ${length} bytes, expected ${replyBytesLeast} to ${replyBytesMost}`,
    );
  }
  if (typeof reply === "boolean" || reply === undefined) return;
  const isExpected =
    typeof reply === "string"
      ? received.subarray(0, Buffer.byteLength(reply)).equals(Buffer.from(reply))
      : beginsWith(received.toString("hex", 0, reply.hex.length), reply.hex);
  if (isExpected) return;
  const shown = received.toString("hex", 0, 32);
  throw new ProbeFailure(`the reply begins with ${shown}, expected ${JSON.stringify(reply)}`);
}

/** Digit by digit; X is any. */
function beginsWith(digits: string, pattern: string): boolean {
  const expected = pattern.replaceAll(/\s/g, "").toLowerCase();
  const masked = Array.from(expected, (digit, at) => (digit === "x" ? "x" : digits.charAt(at)));
  return digits.length >= expected.length && masked.join("") === expected;
}
