/** What is kept on disk is there and cannot be used, or cannot be written: one sentence with what to do. */
export class StateFileError extends Error {
  override readonly name = "StateFileError";
}

/** A change was refused, for the disk did not take it. The next one may fare better. */
export class NotKeptError extends Error {
  override readonly name = "NotKeptError";
}
