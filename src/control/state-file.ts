/**
 * The desired state on disk, so that a restarted daemon goes on where the last one was: a snapshot of the whole
 * (snapshot.ts), and a journal of the changes since (journal.ts).
 *
 * A change is appended and on disk before it is acknowledged. When the journal has grown longer than the snapshot, a new
 * snapshot is written beside, in small parts, and the journal begins anew with what came meanwhile. A crash in between
 * leaves changes in the journal that the snapshot has already: their numbers tell. What cannot be understood stops the
 * daemon from starting: starting without it would lose every service. docs/decisions/0007.
 */
import type { FileHandle } from "node:fs/promises";
import { Pauses } from "../base/pauses.ts";
import { type DesiredState, EMPTY_STATE } from "../ipvs/desired/desired-state.ts";
import { NOBODY_NAMED, type Signature, sign } from "./author.ts";
import { changeToJson, withChange } from "./change-json.ts";
import { Declarations } from "./declaration.ts";
import { History } from "./history.ts";
import { damagedJournal, markLine, readJournal, recordLine } from "./journal.ts";
import { identityOf, openToRead, openToWrite, replaceFile, writeAll } from "./regular-file.ts";
import { DIGITS_AT, readSnapshot, type Snapshot, SnapshotWriter } from "./snapshot.ts";
import { NotKeptError, StateFileError } from "./state-file-error.ts";

/** A journal shorter than this is not worth a new snapshot. */
const JOURNAL_FLOOR = 1 << 20;

/** What is told that no command is answered with. */
type Warn = (message: string) => void;

/** Calls come one after the other: Control sees to it. */
export class StateFile implements AsyncDisposable {
  readonly path: string;
  readonly journalPath: string;
  readonly history: History;
  readonly declarations: Declarations;
  readonly #warn: Warn;
  readonly #floor: number;
  /** Undefined: the next change begins with a snapshot. */
  #journal: FileHandle | undefined;
  #journalLength = 0;
  #snapshotLength = 0;
  /** The snapshot that this process read or wrote last; one that is not this is an operator's. */
  #snapshotIdentity = "";
  /** The number of the last change. */
  #sequence = 0;
  /** What was appended since the snapshot was begun that is being written. */
  #meanwhile: Buffer[] | undefined;
  #compaction: Promise<void> | undefined;
  #retryAt = 0;
  #trouble: string | undefined;
  /** One after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string, warn: Warn, floor = JOURNAL_FLOOR) {
    this.path = path;
    this.journalPath = `${path}.journal`;
    this.history = new History(`${path}.history`, warn);
    this.declarations = new Declarations(`${path}.declared`, warn);
    this.#warn = warn;
    this.#floor = floor;
  }

  /** The state that was saved last, or the empty one when none ever was. */
  async load(): Promise<DesiredState> {
    const snapshot = await this.#readSnapshot();
    const journal = await openToWrite(this.journalPath);
    const bytes = (await journal?.readFile()) ?? Buffer.alloc(0);
    try {
      const { records, torn } = readJournal(bytes, this.journalPath);
      const isPair = snapshot?.isChecked === true && torn === 0;
      if (snapshot?.isChecked === true && journal === undefined) {
        this.#warn(
          `There is no ${this.journalPath}: were there changes since ${this.path} was written, they are lost`,
        );
      }
      if (torn > 0) {
        this.#warn(
          `The last ${torn} bytes of ${this.journalPath} were being written when the daemon ended, and were never acknowledged: they are left out`,
        );
      }
      let state = snapshot?.state ?? EMPTY_STATE;
      this.#sequence = snapshot?.sequence ?? 0;
      const [first] = records;
      if (first !== undefined && (snapshot === undefined || first.sequence > this.#sequence + 1)) {
        throw damagedJournal(
          this.journalPath,
          `it goes on from change ${first.sequence - 1}, which ${this.path} does not reach`,
        );
      }
      const pauses = new Pauses();
      for (const { sequence, change, at } of records) {
        if (sequence <= this.#sequence) continue;
        await pauses.ifDue();
        const before = state;
        state = withChange(state, change, (why) =>
          damagedJournal(this.journalPath, `the change at byte ${at} cannot be made: ${why}`),
        );
        this.#sequence = sequence;
        const { by, at: signedAt } = change;
        if (by === undefined || signedAt === undefined) continue;
        this.history.note({ generation: sequence, by, at: signedAt, before, after: state });
      }
      this.#journalLength = bytes.length;
      if (isPair) this.#journal = journal;
      return state;
    } finally {
      if (this.#journal === undefined) await journal?.close();
    }
  }

  /** Resolves when the step is on disk. When it rejects, it is not there after a restart either. */
  async append(
    before: DesiredState,
    after: DesiredState,
    { by, at: signedAt }: Signature = sign(NOBODY_NAMED),
  ): Promise<void> {
    if (this.#journal === undefined) await this.#compaction;
    await this.#inTurn(() =>
      this.#orSay(async () => {
        const journal = this.#journal ?? (await this.#begin(before));
        const sequence = this.#sequence + 1;
        const change = { by, at: signedAt, ...changeToJson(before, after) };
        const record = Buffer.from(recordLine(sequence, change));
        const mark = Buffer.from(markLine(sequence));
        const at = this.#journalLength;
        try {
          await writeAll(journal, record, at);
          await journal.datasync();
          await writeAll(journal, mark, at + record.length);
        } catch (error) {
          // After an error nobody knows what a further fdatasync() would be about: the next change begins a new journal.
          await this.#giveUp(at);
          throw error;
        }
        this.#journalLength = at + record.length + mark.length;
        this.#sequence = sequence;
        this.history.note({ generation: sequence, by, at: signedAt, before, after });
        this.#meanwhile?.push(record, mark);
        this.#compactLater(after);
      }),
    );
  }

  /** Has the disk hold `after`, whatever is there. */
  async replace(
    before: DesiredState,
    after: DesiredState,
    { by, at }: Signature = sign(NOBODY_NAMED),
  ): Promise<void> {
    await this.#compaction;
    await this.#inTurn(() =>
      this.#orSay(async () => {
        this.#sequence++;
        try {
          await this.#begin(after);
        } catch (error) {
          this.#sequence--;
          throw error;
        }
        this.history.note({ generation: this.#sequence, by, at, before, after });
      }),
    );
  }

  /** Why changes are refused at present: the disk did not take the last one. Undefined: it did. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Whether the disk takes changes again, before one is begun. Rejects with a NotKeptError when it does not. */
  async retry(state: DesiredState): Promise<void> {
    if (this.#trouble === undefined) return;
    await this.#compaction;
    await this.#inTurn(() =>
      this.#orSay(async () => {
        if (this.#journal === undefined) await this.#begin(state);
      }),
    );
  }

  /** The number of the last change. */
  get generation(): number {
    return this.#sequence;
  }

  /** The state of a snapshot that somebody else put there; undefined when it is this process's own. */
  async reload(): Promise<DesiredState | undefined> {
    await this.#compaction;
    const own = this.#snapshotIdentity;
    if ((await this.#identify()) === own) return undefined;
    try {
      const snapshot = await this.#readSnapshot();
      if (snapshot !== undefined) return snapshot.state;
      throw new StateFileError(`--state ${this.path} is not there any more`);
    } finally {
      // It stays somebody else's until it is in force and replaced.
      this.#snapshotIdentity = own;
    }
  }

  /** Leaves all in the snapshot, where people look. */
  async end(state: DesiredState): Promise<void> {
    await this.#compaction;
    await this.#inTurn(async () => {
      try {
        if (this.#journal !== undefined && this.#journalLength > 0) await this.#begin(state);
        await this.history.flush();
      } finally {
        await this.#close();
      }
    });
  }

  /** Lets go of the files, as they are. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#compaction;
    await this.#inTurn(() => this.#close());
    await this.history[Symbol.asyncDispose]();
  }

  /** What the disk refuses is said once, and once when it is over. */
  async #orSay(keep: () => Promise<void>): Promise<void> {
    try {
      await keep();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      if (this.#trouble === undefined) {
        this.#warn(
          `Changes are refused as long as they cannot be kept in ${this.path}: ${message}. What is in force stays so`,
        );
      }
      this.#trouble = message;
      throw new NotKeptError(
        `Nothing was changed, for it could not be kept in ${this.path}: ${message}`,
      );
    }
    if (this.#trouble === undefined) return;
    this.#trouble = undefined;
    this.#warn(`Changes are kept again, in ${this.path}`);
  }

  async #readSnapshot(): Promise<Snapshot | undefined> {
    await using file = await openToRead(this.path);
    if (file === undefined) return undefined;
    const bytes = await file.readFile();
    const snapshot = await readSnapshot(bytes, this.path);
    this.#snapshotLength = bytes.length;
    this.#snapshotIdentity = await identityOf(file);
    if (!snapshot.isChecked) {
      this.#warn(
        `${this.path} has no checksum (an earlier Sluice's, or an edited one): it is taken as it is`,
      );
    }
    if (snapshot.markRules.length > 0) {
      this.#warn(
        `The mark rules in ${this.path} are not used any more, and go from it with the next command: write them with nft or iptables (docs/marks.md). They are ${JSON.stringify(snapshot.markRules)}`,
      );
    }
    return snapshot;
  }

  async #identify(): Promise<string> {
    await using file = await openToRead(this.path);
    return file === undefined ? "" : await identityOf(file);
  }

  /** A snapshot of `state`, and a journal with nothing in it. */
  async #begin(state: DesiredState): Promise<FileHandle> {
    await this.#writeSnapshot(state, this.#sequence);
    return await this.#beginJournal([]);
  }

  async #beginJournal(lines: readonly Buffer[]): Promise<FileHandle> {
    // Who changed what is in the journal alone until now.
    await this.history.flush();
    const bytes = Buffer.concat(lines);
    const journal = await replaceFile(this.journalPath, (file) => writeAll(file, bytes, 0));
    await this.#close();
    this.#journal = journal;
    this.#journalLength = bytes.length;
    return journal;
  }

  async #writeSnapshot(state: DesiredState, sequence: number): Promise<void> {
    const writer = new SnapshotWriter();
    let length = 0;
    await using file = await replaceFile(this.path, async (next) => {
      const pauses = new Pauses();
      for (const part of writer.parts(state, sequence)) {
        await writeAll(next, part, length);
        length += part.length;
        await pauses.ifDue();
      }
      await writeAll(next, Buffer.from(writer.digits), DIGITS_AT);
    });
    this.#snapshotIdentity = await identityOf(file);
    this.#snapshotLength = length;
  }

  #compactLater(state: DesiredState): void {
    const limit = Math.max(this.#snapshotLength + this.#floor, this.#retryAt);
    if (this.#compaction !== undefined || this.#journalLength <= limit) return;
    this.#meanwhile = [];
    this.#compaction = this.#compact(state, this.#sequence).finally(() => {
      this.#meanwhile = undefined;
      this.#compaction = undefined;
    });
  }

  async #compact(state: DesiredState, sequence: number): Promise<void> {
    try {
      await this.#writeSnapshot(state, sequence);
      await this.#inTurn(async () => {
        if (this.#journal !== undefined) await this.#beginJournal(this.#meanwhile ?? []);
        this.#meanwhile = undefined;
      });
      this.#retryAt = 0;
    } catch (error) {
      this.#retryAt = this.#journalLength * 2;
      this.#warn(
        `Cannot write a new snapshot to ${this.path}: ${(error as Error).message}. Changes are kept all the same, in ${this.journalPath}, which grows`,
      );
    }
  }

  /** The journal's last line is not acknowledged, whatever of it is there. */
  async #giveUp(lengthBefore: number): Promise<void> {
    await this.#journal?.truncate(lengthBefore).catch(() => undefined);
    await this.#close();
  }

  async #close(): Promise<void> {
    const journal = this.#journal;
    this.#journal = undefined;
    await journal?.close();
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
