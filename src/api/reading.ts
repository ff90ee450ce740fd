/** What a call says, checked: or a BadRequest that says what would be right. */
import type { z } from "zod";
import { problemsOf } from "../control/wire-schema.ts";
import type { Endpoint, ServiceKey } from "../ipvs/desired/service.ts";
import { parseEndpointId, parseServiceId } from "./ids.ts";
import { BadRequest, BrokenOff, TooLarge } from "./problem.ts";

/** The longest body that a call may have: a record is below 1 kB. */
const BODY_MAX_BYTES = 64 * 1024;

export function readService(id: string): ServiceKey {
  const key = parseServiceId(id);
  if (key !== undefined) return key;
  throw new BadRequest(
    `Cannot read ${JSON.stringify(id)} as a service: expected tcp:10.0.0.1:80, udp:[2001:db8::1]:53, fwmark:7 or fwmark6:7`,
  );
}

export function readDestination(id: string): Endpoint {
  const endpoint = parseEndpointId(id);
  if (endpoint !== undefined) return endpoint;
  throw new BadRequest(
    `Cannot read ${JSON.stringify(id)} as a destination: expected 10.0.0.1:80 or [2001:db8::1]:80`,
  );
}

export function mustBeSame(path: string, inPath: string, inBody: string): void {
  if (inPath === inBody) return;
  throw new BadRequest("The body is not about what the path names", [
    { path, message: `expected ${inPath}, got ${inBody}` },
  ]);
}

export function readAs<Wire>(schema: z.ZodType<Wire>, json: unknown): Wire {
  const checked = schema.safeParse(json);
  if (checked.success) return checked.data;
  const problems = problemsOf(checked.error);
  const [first] = problems;
  const where = first?.path ? `${first.path}: ` : "";
  throw new BadRequest(`${where}${first?.message}`, problems);
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadRequest(`The body is not JSON: ${(error as Error).message}`);
  }
}

export async function bodyOf(request: Request): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of arriving(request)) {
    length += chunk.length;
    if (length > BODY_MAX_BYTES) {
      throw new TooLarge(`The body is longer than ${BODY_MAX_BYTES} bytes`);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** The lines of a body as they come; a last one without its end is one, too. Each may be as long as another call's body. */
export async function* linesOf(
  request: Request,
  lineMaxBytes = BODY_MAX_BYTES,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of arriving(request)) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    if (rest.length > lineMaxBytes) {
      throw new TooLarge(`A line is longer than ${lineMaxBytes} bytes`);
    }
    yield* parts;
  }
  if (rest !== "") yield rest;
}

/** The body's bytes as they come. Whatever ends them early is the caller's doing. */
async function* arriving({ body }: Request): AsyncGenerator<Uint8Array> {
  try {
    yield* body ?? [];
  } catch (error) {
    throw new BrokenOff(`The call broke off: ${(error as Error)?.message ?? error}`);
  }
}
