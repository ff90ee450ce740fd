/** The order of test files: those that take minutes begin first, so that none of them is left when all others are done. */
import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Where a checkout is new nobody has measured them yet, and their size tells little. */
const LONGEST = [
  "test/e2e/restart.test.ts",
  "src/lab/lab.root.test.ts",
  "src/lab/kept-lab.root.test.ts",
  "test/guide/guide.root.test.ts",
  "src/lab/mistakes/doctor.root.test.ts",
  "src/engine/userspace/engine.root.test.ts",
  "test/attack/attack.root.test.ts",
  "test/e2e/errnos.test.ts",
  "src/engine/kernel/kernel-engine.root.test.ts",
  "test/e2e/daemon.test.ts",
  "test/e2e/status.test.ts",
  "test/e2e/grace.test.ts",
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = await super.sort(files);
    return others.toSorted((one, other) => this.#rank(one) - this.#rank(other));
  }

  #rank({ moduleId }: TestSpecification): number {
    const rank = LONGEST.indexOf(relative(this.ctx.config.root, moduleId));
    return rank === -1 ? LONGEST.length : rank;
  }
}
