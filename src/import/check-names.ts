/** Names for checks that several places have; one that stands in one place needs none. */
import type { CheckKeys } from "../configuration/schema.ts";
import type { CheckFields } from "./check-content.ts";

type Checks = readonly CheckFields[];

export class CheckNames {
  readonly #names = new Map<string, string>();
  readonly #content: Record<string, CheckFields> = {};

  /** The checks of each place. */
  constructor(places: readonly Checks[]) {
    const uses = new Map<string, number>();
    for (const check of places.flat()) {
      const text = JSON.stringify(check);
      const count = (uses.get(text) ?? 0) + 1;
      uses.set(text, count);
      if (count === 2) this.#name(text, check);
    }
  }

  content(): Readonly<Record<string, CheckFields>> {
    return this.#content;
  }

  /** `isSaid`: also that there are none, where something above would have some. */
  keysFor(checks: Checks, isSaid = false): CheckKeys {
    const all = checks.map((check) => this.#names.get(JSON.stringify(check)) ?? check);
    if (all.length === 0) return isSaid ? { checks: [] } : {};
    // What is among them the configuration judges, as it does with what people write.
    return (all.length === 1 ? { check: all[0] } : { checks: all }) as CheckKeys;
  }

  #name(text: string, check: CheckFields): void {
    let [name, count] = [check.type, 1];
    while (Object.hasOwn(this.#content, name)) name = `${check.type}-${++count}`;
    this.#names.set(text, name);
    this.#content[name] = check;
  }
}
