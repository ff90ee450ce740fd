/** Whether an answer's body is the expected one. */
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { createContext, Script } from "node:vm";
import type { BodySettings } from "./http-settings.ts";
import { ProbeFailure, waitFor, whyOf } from "./probe.ts";

const BODY_MAX_BYTES = 262_144;

/** A pattern that goes back and forth over a hostile page must not hold up all other probes. */
const PATTERN_MAX_MS = 100;

/** Reads the body, to its end or as far as it may go, and says what is wrong with it; undefined when nothing is. */
export async function bodyFault(
  body: Readable,
  settings: BodySettings | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { contains, matches, lacks, ignoreCase, digest } = settings ?? {};
  const keep = [contains, matches, lacks].some((text) => text !== undefined);
  const maxBytes = settings?.maxBytes ?? BODY_MAX_BYTES;
  const read = await readBody(body, keep, digest?.split(":")[0], maxBytes, signal);

  if (digest !== undefined) {
    if (read.cut) return `the body is longer than ${maxBytes} bytes`;
    const expected = digest.slice(digest.indexOf(":") + 1).toLowerCase();
    if (read.digest !== expected)
      return `the body's digest is ${read.digest}, expected ${expected}`;
  }
  const shown = read.cut ? `the first ${maxBytes} bytes of the body` : "the body";
  const text = read.bytes.toString("utf8");
  if (contains !== undefined && !includes(text, contains, ignoreCase)) {
    return `${shown} has no ${JSON.stringify(contains)}`;
  }
  if (matches !== undefined && !found(text, matches, ignoreCase)) {
    return `${shown} does not match ${matches}`;
  }
  if (lacks !== undefined && found(text, lacks, ignoreCase)) return `${shown} matches ${lacks}`;
  return undefined;
}

interface ReadBody {
  readonly bytes: Buffer;
  readonly digest: string | undefined;
  /** There is more of it. */
  readonly cut: boolean;
}

/** The body to its end, or `maxBytes` of it. `keep`: somebody wants the bytes. `algorithm`: a digest of them is wanted. */
export async function readBody(
  body: Readable,
  keep: boolean,
  algorithm: string | undefined,
  maxBytes: number,
  signal: AbortSignal,
): Promise<ReadBody> {
  const hash = algorithm === undefined ? undefined : createHash(algorithm);
  const chunks: Buffer[] = [];
  let length = 0;
  const cut = await waitFor<boolean>(signal, "the rest of the body", (resolve, reject) => {
    body.on("data", (chunk: Buffer) => {
      length += chunk.length;
      const within = length <= maxBytes ? chunk : chunk.subarray(0, maxBytes - length);
      hash?.update(within);
      if (keep) chunks.push(within);
      if (length <= maxBytes) return;
      body.removeAllListeners("data");
      body.pause();
      resolve(true);
    });
    body.once("end", () => resolve(false));
    body.once("error", (error) =>
      reject(new ProbeFailure(`${whyOf(error)} in the middle of the body`)),
    );
    body.once("close", () =>
      reject(new ProbeFailure("the connection was closed in the middle of the body")),
    );
  });
  return { bytes: Buffer.concat(chunks), digest: hash?.digest("hex"), cut };
}

function includes(text: string, part: string, ignoreCase = false): boolean {
  return ignoreCase ? text.toLowerCase().includes(part.toLowerCase()) : text.includes(part);
}

/** V8 ends a search that takes too long at its own safe points, when it runs with a limit of time. */
const search = new Script("new RegExp(pattern, flags).test(text)");
const room = { pattern: "", flags: "", text: "" };
const context = createContext(room);

function found(text: string, pattern: string, ignoreCase = false): boolean {
  Object.assign(room, { text, pattern, flags: ignoreCase ? "imu" : "mu" });
  try {
    return search.runInContext(context, { timeout: PATTERN_MAX_MS });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    throw new ProbeFailure(
      `searching the body for ${pattern} takes longer than ${PATTERN_MAX_MS} ms`,
    );
  } finally {
    room.text = "";
  }
}
