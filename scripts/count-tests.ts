/**
 * Adds up JSON reports of vitest and of conformance: prints "N passed, N failed" and fails when a test did, or there was none.
 * A test that passed only when it was tried again is named before: what it met is to be found, though it does not fail the run.
 */
import { readFileSync } from "node:fs";

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  /** Files that could not even be loaded have no tests to count. */
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      /** Also of a test that passed later. */
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** A case on an engine is one (test/conformance/report/summary.ts). */
interface ConformanceReport {
  readonly passed: number;
  readonly failed: number;
}

const [status = "1", ...paths] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let skipped = 0;
for (const path of paths) {
  const report = JSON.parse(readFileSync(path, "utf8")) as VitestReport | ConformanceReport;
  if ("passed" in report) {
    passed += report.passed;
    failed += report.failed;
    continue;
  }
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  skipped += report.numPendingTests;
  failed += report.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  ).length;
  for (const test of report.testResults.flatMap((file) => file.assertionResults)) {
    const [first] = test.failureMessages;
    if (test.status !== "passed" || first === undefined) continue;
    const [why] = first.split("\n");
    process.stdout.write(`passed only when tried again: ${test.fullName}: ${why}\n`);
  }
}
// A check before the tests (format, types, ...) that failed, or conformance that could not run, is one failure.
if (status !== "0" && failed === 0) failed = 1;
process.stdout.write(
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`,
);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
