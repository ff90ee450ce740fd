/** A value that parts of the page look at, and are drawn anew when it changes. */
import { useEffect, useState } from "preact/hooks";

export class Store<Value> {
  #value: Value;
  readonly #watchers = new Set<() => void>();

  constructor(value: Value) {
    this.#value = value;
  }

  get value(): Value {
    return this.#value;
  }

  set(value: Value): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const watcher of this.#watchers) watcher();
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
  }
}

export function useStore<Value>(store: Store<Value>): Value {
  const [value, set] = useState(() => store.value);
  useEffect(() => {
    const follow = (): void => set(() => store.value);
    follow();
    return store.watch(follow);
  }, [store]);
  return value;
}
