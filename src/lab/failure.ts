/** The laboratory cannot go on: the machine, not a statement, is at fault. */
export class LabFailure extends Error {
  override readonly name = "LabFailure";
}
