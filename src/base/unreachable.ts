/** Ends a switch over a union: a case that was forgotten does not compile, one from outside throws. */
export function unreachable(value: never): never {
  throw new TypeError(`Met a case that cannot be: ${JSON.stringify(value)}`);
}
