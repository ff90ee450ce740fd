/** A process may end at any point of its work: what it was writing is seen, and nothing else is lost. */
import { expect, test } from "vitest";
import { DirectorBench } from "../../../test/packets/director-bench.ts";
import { prng } from "../../base/prng.ts";
import { FIELD } from "../connections/connection-record.ts";
import { RECORD_SHIFT } from "../connections/table-memory.ts";

const SERVICES = ["-A -t V:80 -s rr -p 60", "-a -t V:80 -r R1 -m", "-a -t V:80 -r R2 -g"];

function bench(): DirectorBench {
  const made = new DirectorBench("inet", { limit: 100 });
  for (const row of SERVICES) made.play(row);
  return made;
}

/** The words of a bench's memory that `row` changes. */
function changesOf(made: DirectorBench, row: string): [index: number, before: number][] {
  const before = made.memory.words.slice();
  made.play(row);
  return [...before.entries()].filter(([index, word]) => made.memory.words[index] !== word);
}

function isCommit(index: number): boolean {
  return index % (1 << RECORD_SHIFT) === FIELD.commit;
}

test("a connection that was half written is not adopted, those beside it are", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = prng(seed);
    const made = bench();
    made.play("C2:1000 > V:80 S");
    const listed = made.play("-Lc").join();
    // Marks are written last: without them any part of the rest may be there.
    for (const [index, word] of changesOf(made, "C:1000 > V:80 S")) {
      if (isCommit(index) || random.of([true, false])) made.memory.words[index] = word;
    }
    made.play("restart");
    expect(made.play("-Lc").join(), `seed ${seed}`).toBe(listed);
    expect(made.adopted).toEqual({ adopted: 2, orphaned: 0, expired: 0, damaged: 0 });
    expect(made.play("C:1000 > V:80 S")).not.toEqual(["drop-table-full"]);
  }
});

test("whatever word of a record is changed, it is either adopted whole or counted as damaged", () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = prng(seed);
    const made = bench();
    made.play("C:1000 > V:80 S");
    made.play("C2:1000 > V:80 S");
    const words = made.memory.words;
    const index = random.below(4 << RECORD_SHIFT);
    words[index] = random.next() | 0;
    made.play("restart");
    const { adopted, damaged, expired, orphaned } = made.adopted!;
    expect(adopted + damaged + expired, `seed ${seed}`).toBe(4);
    expect(orphaned).toBe(0);
    for (const row of ["C:1000 > V:80 .", "C2:1000 > V:80 .", "R1:80 > C:1000 .", "-L", "+2000"]) {
      made.play(row);
    }
    expect(made.play("-Lc")).toEqual(["nothing"]);
  }
});

test("records that were free, or never used, are used again", () => {
  const made = new DirectorBench("inet", { limit: 10 });
  made.play("-A -t V:80 -s rr");
  made.play("-a -t V:80 -r R1 -m");
  // Established, so that none gives way to another.
  const establish = (from: number, to: number): void => {
    for (let port = from; port < to; port++) {
      for (const flags of ["S", "."]) made.play(`C:${port} > V:80 ${flags}`);
    }
  };
  establish(1000, 1010);
  made.play("+800");
  establish(1000, 1005);
  made.play("+200");
  made.play("restart");
  expect(made.adopted).toEqual({ adopted: 5, orphaned: 0, expired: 0, damaged: 0 });
  establish(2000, 2005);
  expect(made.play("C:3000 > V:80 S")).toEqual(["drop-table-full"]);
  expect(made.play("-Lc")).toHaveLength(10);
});

test("a restart while connections are adopted adopts them all the same", () => {
  const made = bench();
  for (let port = 1000; port < 1040; port++) made.play(`C:${port} > V:80 S`);
  const listed = made.play("-Lc").join();
  made.play("busy");
  made.play("restart");
  made.director.expire(0 as never, 10);
  made.director.expire(0 as never, 10);
  made.director.expire(0 as never, 10);
  made.play("+0");
  made.play("restart");
  expect(made.play("-Lc").join()).toBe(listed);
});
