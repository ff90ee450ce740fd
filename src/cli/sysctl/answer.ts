/** What is printed, set and complained of: a pure function of what is asked for and of the values in force. */
import { LbError } from "../../ipvs/desired/errors.ts";
import { checkSysctl, type SysctlValues } from "../../ipvs/desired/set-sysctl.ts";
import { dottedName, type KnobName, readName } from "./name.ts";
import type { SysctlOptions } from "./options.ts";
import type { Request } from "./setting.ts";

export interface Answer {
  readonly rows: readonly Row[];
  /** By name, the text that the kernel's file would get. */
  readonly wanted: SysctlValues;
  readonly complaints: readonly string[];
}

interface Row {
  readonly name: string;
  /** What was read, or is to be set. */
  readonly value: number | string;
  /** As it is printed: what is set, as it was given. */
  readonly text: string;
  readonly isSet: boolean;
}

type Narrowing = Pick<SysctlOptions, "pattern" | "ignoresUnknown">;

/** In the order of the requests. All of them set something, or, when one is refused, none. */
export function answer(
  requests: readonly Request[],
  inForce: SysctlValues,
  options: Narrowing,
): Answer {
  const whole = walk(requests, inForce, options);
  if (!whole.isRefused) return whole;
  const isRead = ({ kind }: Request): boolean => kind === "read";
  const { rows } = walk(requests.filter(isRead), inForce, options);
  const isAlone = requests.length === 1;
  const conclusion = "nothing is set: all values of a call are, or none";
  return {
    rows,
    wanted: {},
    complaints: isAlone ? whole.complaints : [...whole.complaints, conclusion],
  };
}

function walk(
  requests: readonly Request[],
  inForce: SysctlValues,
  { pattern, ignoresUnknown }: Narrowing,
): Answer & { readonly isRefused: boolean } {
  const values: Record<string, number | string> = { ...inForce };
  const wanted: Record<string, string> = {};
  const rows: Row[] = [];
  const complaints: string[] = [];
  let isRefused = false;
  const isWanted = (name: string): boolean => pattern?.test(dottedName(name)) ?? true;
  const read = (name: string): void => {
    if (!isWanted(name)) return;
    rows.push({ name, value: values[name]!, text: String(values[name]), isSet: false });
  };
  const set = (name: string, text: string): void => {
    if (!isWanted(name)) return;
    // As sysctl writes it.
    const line = `${text}\n`;
    Object.assign(values, checkSysctl(name, line));
    wanted[name] = line;
    rows.push({ name, value: values[name]!, text, isSet: true });
  };

  for (const request of requests) {
    if (request.kind === "mistake") {
      complaints.push(request.complaint);
      isRefused = true;
      continue;
    }
    const name = readName(request.key, (known) => Object.hasOwn(values, known));
    if (name.kind === "none" && ignoresUnknown) continue;
    try {
      if (request.kind === "set") set(knobOf(name, request.key), request.value);
      else if (name.kind === "folder") Object.keys(values).forEach(read);
      else read(knobOf(name, request.key));
    } catch (error) {
      complaints.push(complaintOf(error));
      isRefused ||= request.kind === "set";
    }
  }
  return { rows, wanted, complaints, isRefused };
}

/** Why a name is of no use; the message says it all. */
class NameError extends Error {
  override readonly name = "NameError";
}

function knobOf(name: KnobName, key: string): string {
  switch (name.kind) {
    case "knob":
      return name.name;
    case "folder":
      throw new NameError(`setting key "net.ipv4.vs": Invalid argument`);
    case "none":
      throw new NameError(`cannot stat /proc/sys/${name.path}: ${name.reason}`);
    case "foreign":
      throw new NameError(
        `"${key}" is not below net.ipv4.vs: Sluice has nothing else, the host's own sysctl may`,
      );
  }
}

/** In sysctl's words; a knob that means nothing here is not sysctl's matter, so its reason follows. */
function complaintOf(error: unknown): string {
  if (error instanceof NameError) return error.message;
  if (!(error instanceof LbError)) throw error;
  const { fault } = error;
  if ("service" in fault || "vip" in fault) throw error;
  const reason =
    fault.code === "sysctl-without-effect"
      ? `Operation not supported: ${fault.why}`
      : "Invalid argument";
  return `setting key "${dottedName(fault.name)}": ${reason}`;
}
