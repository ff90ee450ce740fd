import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { isDeepStrictEqual } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ApiBench, openApiBench } from "../../../test/api-bench.ts";
import { exposition } from "../../../test/exposition.ts";
import { ipvsadm } from "../../../test/ipvsadm-bench.ts";
import { quietStatus } from "../../../test/quiet-status.ts";
import { listenForMetrics } from "./listener.ts";
import { metrics } from "./main.ts";
import { metricsPage } from "./page.ts";

let bench: ApiBench;
beforeEach(async () => {
  bench = await openApiBench();
  for (const line of [
    "-A -t 10.0.0.1:80 -s rr",
    "-a -t 10.0.0.1:80 -r 10.0.0.2:8080 -m -w 3",
    "-a -t 10.0.0.1:80 -r 10.0.0.3:8080 -m -w 0",
    "-A -u [2001:db8::1]:53 -s wlc",
    "-a -u [2001:db8::1]:53 -r [2001:db8::2]:53",
  ]) {
    expect(await ipvsadm(bench.socketPath, line)).toMatchObject({ exitCode: 0 });
  }
});
afterEach(() => bench[Symbol.asyncDispose]());

function parts() {
  return { version: "1.2.3", status: quietStatus(bench.engine) };
}

test("the page is what the text format allows, and has what the services are", async () => {
  const page = exposition(await textOf(metrics(bench.control, parts())));
  const value = (name: string, labels: object = {}): number | undefined =>
    page.find((each) => each.name === name && isDeepStrictEqual(each.labels, labels))?.value;
  const service = "tcp:10.0.0.1:80";
  expect(value("sluice_info", { version: "1.2.3", engine: "memory" })).toBe(1);
  expect(value("sluice_services")).toBe(2);
  expect(value("sluice_destinations")).toBe(3);
  expect(value("sluice_service_destinations", { service })).toBe(2);
  expect(value("sluice_service_available_destinations", { service })).toBe(1);
  expect(value("sluice_reasons_total", { reason: "pass-no-service" })).toBe(3);
  const destination = "10.0.0.2:8080";
  expect(value("sluice_destination_weight", { service, destination })).toBe(3);
  expect(value("sluice_destination_packets_total", { service, destination, direction: "in" })).toBe(
    0,
  );
  expect(
    value("sluice_destination_weight", {
      service: "udp:[2001:db8::1]:53",
      destination: "[2001:db8::2]:53",
    }),
  ).toBe(1);
  expect(value("nodejs_eventloop_lag_p99_seconds")).toBeGreaterThanOrEqual(0);
  expect(value("process_resident_memory_bytes")).toBeGreaterThan(0);
});

test("the page's document names each family, and no other", async () => {
  const text = await textOf(metrics(bench.control, parts()));
  const there = [...text.matchAll(/^# TYPE (sluice_\w+)/gm)].map(([, name]) => name!);
  const documented = readFileSync(new URL("../../../docs/metrics.md", import.meta.url), "utf8");
  const named = [...documented.matchAll(/^\| `(sluice_\w+)/gm)].map(([, name]) => name!);
  // Without a finding, or a check, there is no sample of it, and so no family.
  const absent = named.filter((name) => !there.includes(name));
  expect(absent.toSorted()).toEqual([
    "sluice_check_latency_seconds",
    "sluice_check_up",
    "sluice_destination_up",
    "sluice_findings",
    "sluice_service_has_quorum",
    "sluice_service_in_panic",
  ]);
  expect(there.filter((name) => !named.includes(name))).toEqual([]);
});

test("who asks for the head alone takes nobody's place", async () => {
  for (const path of ["/metrics", "/v1/events"]) {
    for (let count = 0; count < 110; count++) {
      const head = await bench.server.request(path, { method: "HEAD" });
      expect([head.status, await head.text()]).toEqual([200, ""]);
    }
    const reply = await bench.server.request(path);
    expect(reply.status).toBe(200);
    await reply.body?.cancel();
  }
});

test("destinations beyond the limit are counted, and have no samples", async () => {
  const ofProcess = async (): Promise<string> => "";
  const page = metricsPage(bench.control, { ...parts(), ofProcess, destinationsMax: 1 });
  const samples = exposition(await textOf(page));
  expect(samples.find(({ name }) => name === "sluice_destinations_omitted")?.value).toBe(2);
  expect(samples.filter(({ name }) => name === "sluice_destination_weight")).toHaveLength(1);
  expect(samples.filter(({ name }) => name === "sluice_service_destinations")).toHaveLength(2);
});

test("a port of its own gives the metrics and nothing else, and no other name's page", async () => {
  const troubles: string[] = [];
  await using listening = await listenForMetrics(
    { address: "127.0.0.1", port: 0 },
    () => metrics(bench.control, parts()),
    (message) => troubles.push(message),
  );
  const ask = async (path: string, init: RequestInit = {}): Promise<readonly [number, string]> => {
    const reply = await fetch(`http://127.0.0.1:${listening.port}${path}`, init);
    return [reply.status, await reply.text()];
  };
  const [status, text] = await ask("/metrics");
  expect(status).toBe(200);
  expect(exposition(text).length).toBeGreaterThan(20);
  expect((await ask("/v1/services"))[0]).toBe(404);
  expect((await ask("/metrics", { method: "POST" }))[0]).toBe(405);
  const origin = { origin: "http://example.net" };
  expect((await ask("/metrics", { headers: origin }))[0]).toBe(403);
  const rebound = request({
    port: listening.port,
    path: "/metrics",
    headers: { host: "evil.example.net" },
  }).end();
  const [{ statusCode }] = (await once(rebound, "response")) as [IncomingMessage];
  expect(statusCode).toBe(403);
  expect(troubles).toEqual([]);
});

async function textOf(page: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const part of page) text += part;
  return text;
}
