import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/longest-first.ts";

/** What is polled for comes at once, but on a busy machine. */
const POLLED = { poll: { timeout: 20_000 } };

/** `unit` needs nothing but Node; `root` makes network namespaces and moves real packets. */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "src/**/*.test.ts",
            "web/**/*.test.ts",
            "test/*.test.ts",
            "test/{conformance,guide}/**/*.test.ts",
          ],
          exclude: ["**/*.root.test.ts"],
          // Property tests on a busy machine.
          testTimeout: 30_000,
          expect: POLLED,
          // Nothing of ours keeps what a test did: files share what they import, or most of the time goes into loading it.
          isolate: false,
        },
      },
      {
        test: {
          name: "root",
          include: [
            "src/**/*.root.test.ts",
            "test/e2e/**/*.test.ts",
            "test/attack/*.root.test.ts",
            "test/web/*.test.ts",
            "test/{conformance,guide}/**/*.root.test.ts",
          ],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          expect: POLLED,
          // They mostly wait for processes and timers, each file in namespaces of its own.
          maxWorkers: 5,
        },
      },
    ],
  },
});
