/**
 * Programs that wait: generators that say what they wait for. Whoever runs them looks after each thing that happens
 * whether it is there, so that a run depends on nothing but the order of what happens.
 */
export interface Wait {
  /** Goes on as soon as this is true; undefined: at the time alone. */
  readonly isDone?: (() => boolean) | undefined;
  /** Goes on then at the latest, in milliseconds of the simulation. */
  readonly untilMs?: number | undefined;
  /** Goes on when this is settled. Nothing happens in the simulation meanwhile: it must not wait for the simulation. */
  readonly promise?: Promise<unknown> | undefined;
}

/** A program at work: it yields what it waits for, and returns what came of it. */
export type Work<Result> = Generator<Wait, Result, void>;
/** For what is written as a promise, but waits for nothing outside: it settles without the simulation going on. */
export function* settled<Value>(promise: Promise<Value>): Work<Value> {
  let result: { readonly value: Value } | undefined;
  let failure: { readonly error: unknown } | undefined;
  const waiting = promise.then(
    (value) => {
      result = { value };
    },
    (error: unknown) => {
      failure = { error };
    },
  );
  yield { promise: waiting };
  if (failure !== undefined) throw failure.error;
  return result!.value;
}
