import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { metrics } from "../src/api/metrics/main.ts";
import { openApiBench } from "./api-bench.ts";
import { ipvsadm } from "./ipvsadm-bench.ts";
import { quietStatus } from "./quiet-status.ts";

const ROOT = new URL("../", import.meta.url);
const FOLDER = new URL("examples/monitoring/", ROOT);

/** Where scripts/setup has put the one of Debian's Prometheus; otherwise whatever is installed. */
const KEPT = new URL("node_modules/.cache/promtool/promtool", ROOT).pathname;
const PROMTOOL = existsSync(KEPT) ? KEPT : "promtool";
const hasPromtool = spawnSync(PROMTOOL, ["--version"]).status === 0;

function promtool(args: readonly string[], input = ""): { status: number | null; says: string } {
  const { status, stdout, stderr } = spawnSync(PROMTOOL, args, { input, encoding: "utf8" });
  return { status, says: stdout + stderr };
}

test.each(["alerts.yaml", "grafana-dashboard.json"])(
  "%s asks for metrics that there are",
  (name) => {
    const text = readFileSync(new URL(name, FOLDER), "utf8");
    const documented = readFileSync(new URL("docs/metrics.md", ROOT), "utf8");
    const asked = new Set([...text.matchAll(/\bsluice_[a-z_]+/g)].map(([metric]) => metric));
    expect(asked.size).toBeGreaterThan(4);
    expect([...asked].filter((metric) => !documented.includes(`\`${metric}\``))).toEqual([]);
  },
);

test("the dashboard is JSON, with a place for each panel", () => {
  const { panels } = JSON.parse(
    readFileSync(new URL("grafana-dashboard.json", FOLDER), "utf8"),
  ) as { panels: { id: number; gridPos: { x: number; w: number } }[] };
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
});

test.skipIf(!hasPromtool)("promtool finds the alert rules right", () => {
  const { status, says } = promtool(["check", "rules", new URL("alerts.yaml", FOLDER).pathname]);
  expect(says).toContain("SUCCESS");
  expect(status).toBe(0);
});

test.skipIf(!hasPromtool)("the alert rules tell what they should", () => {
  const { status, says } = promtool([
    "test",
    "rules",
    new URL("monitoring-rules.yaml", import.meta.url).pathname,
  ]);
  expect(says).toContain("SUCCESS");
  expect(status).toBe(0);
});

test.skipIf(!hasPromtool)("promtool finds the metrics right", async () => {
  await using bench = await openApiBench();
  await ipvsadm(bench.socketPath, "-A -t 10.0.0.1:80 -s rr");
  await ipvsadm(bench.socketPath, "-a -t 10.0.0.1:80 -r 10.0.0.2:80");
  let page = "";
  const parts = { version: "1.2.3", status: quietStatus(bench.engine) };
  for await (const part of metrics(bench.control, parts)) page += part;
  const { status, says } = promtool(["check", "metrics"], page);
  expect(says).toBe("");
  expect(status).toBe(0);
});
