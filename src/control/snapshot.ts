/**
 * A whole state as text. The first line has a checksum over all the others; a service is a line of its own.
 *
 * Without the checksum's line the text is taken as it is: that is how an operator's own edits get in, and how an earlier
 * Sluice wrote it (format 1).
 */
import { crc32 } from "node:zlib";
import { Pauses } from "../base/pauses.ts";
import { type DesiredState, EMPTY_STATE, setTimeouts } from "../ipvs/desired/desired-state.ts";
import { LbError } from "../ipvs/desired/errors.ts";
import { formatServiceKey, type ServicePlan } from "../ipvs/desired/service.ts";
import { ServiceMap } from "../ipvs/desired/service-map.ts";
import { changedSysctls, setSysctls } from "../ipvs/desired/set-sysctl.ts";
import { type Check, planFromJson, planToJson } from "./plan-json.ts";
import { StateFileError } from "./state-file-error.ts";
import { vipsOf, vipToWire } from "./vip-wire.ts";
import type { WireSysctls } from "./wire.ts";
import type { SnapshotJson } from "./wire-schema.ts";

export interface Snapshot {
  readonly state: DesiredState;
  /** The number of the last change in it. */
  readonly sequence: number;
  /** Whether its checksum says that it is as it was written. */
  readonly isChecked: boolean;
  /** Rules of an earlier Sluice's own, which are read and never written (docs/decisions/0004). */
  readonly markRules: readonly unknown[];
}

const FORMAT = 2;

const CHECKSUM = /^\{\n {2}"crc32": "([0-9a-f]{8})",\n/;
const CHECKSUM_LINE = /^[ \t]*"crc32"/m;

/** What comes before the checksum's eight digits, and after. */
const BEFORE_DIGITS = '{\n  "crc32": "';
const AFTER_DIGITS = '",\n';

/** What comes before the services, each a line, and after. */
const SERVICES = '"services": [';
const INDENT = "    ";
const BETWEEN_ROWS = ",\n";
const AFTER_SERVICES = "\n  ]\n}\n";

/** Of a part of the text; what is made of services at once. */
const PART_LENGTH = 1 << 15;

/** The text in parts, but for the checksum's digits, which are known last: `digitsAt` is where they go. */
export const DIGITS_AT = BEFORE_DIGITS.length;

export class SnapshotWriter {
  #crc = 0;

  /** Parts of the text, each to be written behind the one before. Zeros stand for the digits. */
  *parts({ timeouts, sysctls, vips, services }: DesiredState, sequence: number): Generator<Buffer> {
    yield Buffer.from(`${BEFORE_DIGITS}00000000${AFTER_DIGITS}`);
    const rows = [
      `"format": ${FORMAT}`,
      `"sequence": ${sequence}`,
      `"timeouts": ${JSON.stringify(timeouts)}`,
      `"sysctls": ${JSON.stringify(changedSysctls(sysctls))}`,
      ...(vips.size === 0 ? [] : [`"vips": ${JSON.stringify([...vips.values()].map(vipToWire))}`]),
      SERVICES,
    ];
    yield this.#counted(`  ${rows.join(",\n  ")}`);
    let text = "";
    let between = "\n";
    for (const plan of services.values()) {
      text += `${between}${INDENT}${JSON.stringify(planToJson(plan))}`;
      between = BETWEEN_ROWS;
      if (text.length < PART_LENGTH) continue;
      yield this.#counted(text);
      text = "";
    }
    yield this.#counted(`${text}${AFTER_SERVICES}`);
  }

  /** The checksum's digits, once all parts were taken. */
  get digits(): string {
    return this.#crc.toString(16).padStart(8, "0");
  }

  #counted(text: string): Buffer {
    const bytes = Buffer.from(text);
    this.#crc = crc32(bytes, this.#crc);
    return bytes;
  }
}

/** Reads what lies in `path`. Rejects with a StateFileError that says what is wrong, and where. */
export async function readSnapshot(bytes: Buffer, path: string): Promise<Snapshot> {
  const unusable = (why: string): StateFileError => unusableFile(path, why);
  const text = bytes.toString("utf8");
  const isChecked = hasChecksum(text, bytes, unusable);
  const own = isChecked ? parseOwn(text, unusable) : undefined;
  const check = own === undefined ? await import("./wire-schema.ts") : undefined;
  const checked = check?.SNAPSHOT_SCHEMA.safeParse(parseJson(withoutChecksum(text), unusable));
  if (checked?.success === false) {
    const problems = check!
      .problemsOf(checked.error)
      .map(({ path: at, message }) => (at === "" ? message : `${at}: ${message}`));
    throw unusable(problems.join("; "));
  }
  const snapshot = (checked?.data ?? own)!;
  const { sequence, timeouts, sysctls, vips = [], services, markRules = [] } = snapshot;
  const state = {
    ...withSysctls(setTimeouts(EMPTY_STATE, timeouts), sysctls, unusable),
    vips: vipsOf(vips, unusable),
    services: await servicesOf(services, unusable, check),
  };
  return { state, sequence, isChecked, markRules };
}

/** In parts: packets may be waiting. */
async function servicesOf(
  rows: Iterable<unknown>,
  unusable: (why: string) => StateFileError,
  check: Check | undefined,
): Promise<ServiceMap> {
  const services = new Map<string, ServicePlan>();
  const pauses = new Pauses();
  for (const row of rows) {
    await pauses.ifDue();
    const at = `services[${services.size}]`;
    const plan = planFromJson(row, at, unusable, check);
    const keyText = formatServiceKey(plan.key);
    if (services.has(keyText)) throw unusable(`${at}: there are two of ${keyText}`);
    services.set(keyText, plan);
  }
  return ServiceMap.of(services);
}

type OwnSnapshot = Omit<SnapshotJson, "services"> & { readonly services: Iterable<unknown> };

/**
 * What this Sluice, and none with another format, wrote: its services are parsed one by one, when they are asked for. Of
 * 10,000 at once most of the memory would be needed only for this, and stay the process's.
 */
function parseOwn(
  text: string,
  unusable: (why: string) => StateFileError,
): OwnSnapshot | undefined {
  const at = text.indexOf(SERVICES);
  const end = text.length - AFTER_SERVICES.length;
  if (at < 0 || !text.endsWith(AFTER_SERVICES)) return undefined;
  const head = parseJson(`${text.slice(0, at)}${SERVICES}]}`, unusable) as SnapshotJson;
  if (head.format !== FORMAT) return undefined;
  return { ...head, services: rowsOf(text, at + SERVICES.length, end, unusable) };
}

function* rowsOf(
  text: string,
  start: number,
  end: number,
  unusable: (why: string) => StateFileError,
): Generator<unknown> {
  let at = start;
  while (at < end) {
    // No text within JSON has a line's end.
    const next = text.indexOf(BETWEEN_ROWS, at);
    const rowEnd = next < 0 ? end : Math.min(next, end);
    yield parseJson(text.slice(at, rowEnd), unusable);
    at = rowEnd + BETWEEN_ROWS.length;
  }
}

/** Whether there is one, which is right then. */
function hasChecksum(
  text: string,
  bytes: Buffer,
  unusable: (why: string) => StateFileError,
): boolean {
  const [line, digits] = CHECKSUM.exec(text) ?? [];
  if (line === undefined || digits === undefined) {
    if (CHECKSUM_LINE.test(text)) throw unusable('its line "crc32" is damaged');
    return false;
  }
  const found = crc32(bytes.subarray(line.length)).toString(16).padStart(8, "0");
  if (found !== digits) {
    throw unusable(
      `its checksum is ${found} and should be ${digits}, so it is not as it was written (if it was edited on purpose, remove the line "crc32")`,
    );
  }
  return true;
}

function withoutChecksum(text: string): string {
  return text.replace(CHECKSUM, "{");
}

function parseJson(text: string, unusable: (why: string) => StateFileError): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unusable((error as Error).message);
  }
}

function withSysctls(
  state: DesiredState,
  sysctls: WireSysctls,
  unusable: (why: string) => StateFileError,
): DesiredState {
  try {
    return setSysctls(state, sysctls);
  } catch (error) {
    if (error instanceof LbError) throw unusable(`sysctls: ${error.message}`);
    throw error;
  }
}

export function unusableFile(path: string, why: string): StateFileError {
  return new StateFileError(
    `Cannot use the saved state in ${path}: ${why}. Repair the file, or move it away to start without services.`,
  );
}
