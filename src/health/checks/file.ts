/** What a number in a file says: whether it is up, and its weight. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { z } from "zod";
import type { Checker } from "../checker.ts";
import { reasonOf } from "../reasons.ts";
import type { FILE_SETTINGS } from "./file-settings.ts";

type Settings = z.infer<z.ZodObject<typeof FILE_SETTINGS>>;

const LENGTH_MAX = 64;
const WEIGHT_MAX = 0xffff;

export const file: Checker<Settings> = async (_target, settings) => {
  const { path, dynamic = false, multiplier = 1 } = settings;
  let text: string;
  try {
    // A pipe without a writer would be waited for.
    await using handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const { buffer, bytesRead } = await handle.read({
      buffer: Buffer.alloc(LENGTH_MAX),
      position: 0,
    });
    text = buffer.toString("utf8", 0, bytesRead);
  } catch (error) {
    return { up: false, why: `cannot read ${path}: ${reasonOf(error)}` };
  }
  const [digits] = /^\s*[-+]?\d{1,9}(?=\s|$)/.exec(text) ?? [];
  if (digits === undefined) {
    return {
      up: false,
      why: `${path}: expected a number, got ${JSON.stringify(text.slice(0, 20))}`,
    };
  }
  const number = Number(digits) * multiplier;
  const why = `${path} says ${number}`;
  if (number <= 0) return { up: false, why };
  return { up: true, why, ...(dynamic ? { weight: Math.min(number, WEIGHT_MAX) } : {}) };
};
