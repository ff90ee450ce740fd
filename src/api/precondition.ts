/** If-Match (RFC 9110, 13.1.1): a change is made only if nobody changed anything since its caller looked. */
import type { Author } from "../control/author.ts";
import type { Command, Control } from "../control/control.ts";
import type { ServiceKey } from "../ipvs/desired/service.ts";
import { BadRequest, ChangedMeanwhile } from "./problem.ts";

/** What single changes are made by. */
export interface Commands {
  change(command: Command, by?: Author): Promise<void>;
  zero(key: ServiceKey | undefined): Promise<void>;
}

/** The tag of the generation in force. */
export function entityTag({ generation }: Control): string {
  return `"${generation}"`;
}

/** The generation that the caller has seen; undefined: whichever. */
export function expectedGeneration(request: Request): number | undefined {
  const text = request.headers.get("if-match");
  if (text === null || text === "*") return undefined;
  const [, digits] = /^"(\d{1,15})"$/.exec(text) ?? [];
  if (digits !== undefined) return Number(digits);
  throw new BadRequest(`If-Match: expected a generation such as "12", got ${text}`);
}

/** To be asked in a command's turn, with the state that it finds. */
export function mustBeInForce(
  control: Control,
  expected: number | undefined,
  found: Control["state"],
): void {
  if (expected === undefined) return;
  // One that comes together with it and before it makes the next generation.
  const generation = control.generation + (found === control.state ? 0 : 1);
  if (generation !== expected) throw new ChangedMeanwhile(expected, generation);
}

/** As `control`, for whoever has seen `expected`. */
export function provided(control: Control, expected: number | undefined): Commands {
  if (expected === undefined) return control;
  return {
    change: (command, by) =>
      control.change((now) => {
        mustBeInForce(control, expected, now);
        return command(now);
      }, by),
    zero: (key) => control.zero(key, () => mustBeInForce(control, expected, control.state)),
  };
}
