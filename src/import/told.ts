/** What importing a configuration of another program has to say about it, each with its place. */

export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

export interface Told {
  readonly at: Place;
  /** `dropped`: the sluice.yaml does not have it. `note`: it has, but not as it stands there. */
  readonly kind: "dropped" | "note";
  /** What stands there. */
  readonly text: string;
  readonly why: string;
}

/** Longer ones say nothing more to a reader. */
const TEXT_MAX = 120;

/** Collects what is to be told: in the order of the places, each thing once. */
export class Notes {
  readonly #told = new Map<string, Told>();

  dropped(at: Place, text: string, why: string): void {
    this.#tell({ at, kind: "dropped", text, why });
  }

  note(at: Place, text: string, why: string): void {
    this.#tell({ at, kind: "note", text, why });
  }

  all(): readonly Told[] {
    const files = [...new Set([...this.#told.values()].map(({ at }) => at.file))];
    return [...this.#told.values()].toSorted(
      (one, other) =>
        files.indexOf(one.at.file) - files.indexOf(other.at.file) || one.at.line - other.at.line,
    );
  }

  #tell(told: Told): void {
    const text = told.text.length > TEXT_MAX ? `${told.text.slice(0, TEXT_MAX)}…` : told.text;
    // A definition that is used many times is told of once.
    const key = `${told.at.file}:${told.at.line}:${text}:${told.why}`;
    if (!this.#told.has(key)) this.#told.set(key, { ...told, text });
  }
}
