import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/longest-first.ts";

/** `unit` needs nothing but Node; `root` makes network namespaces and moves real packets. */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "test/*.test.ts", "test/conformance/**/*.test.ts"],
          exclude: ["**/*.root.test.ts"],
          // Property tests on a busy machine.
          testTimeout: 30_000,
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
            "test/conformance/**/*.root.test.ts",
          ],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          // They mostly wait for processes and timers, each file in namespaces of its own.
          maxWorkers: 4,
        },
      },
    ],
  },
});
