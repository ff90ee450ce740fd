/** Counts what goes wrong by its name, and tells the first of each kind. */
export class ToldOnce {
  readonly #tell: (name: string, error: unknown) => void;
  readonly #counts = new Map<string, number>();

  constructor(tell: (name: string, error: unknown) => void) {
    this.#tell = tell;
  }

  /** `error`: what is known of it beyond its name. */
  count(name: string, error?: unknown): void {
    const before = this.#counts.get(name) ?? 0;
    this.#counts.set(name, before + 1);
    if (before === 0) this.#tell(name, error);
  }

  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}

/** The kind of a trouble of `what`: with errno's name, if it has one. */
export function troubleName(what: string, error: unknown): string {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  return `${what}-${typeof code === "string" ? code : String(name)}`;
}
