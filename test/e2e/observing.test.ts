/** What watches a daemon: Prometheus' page and the API over TCP, the stream of events, programs that are told. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { selfSigned } from "../certificates.ts";
import { exposition } from "../exposition.ts";
import { DaemonHome } from "./daemon.ts";
import { Network } from "./network.ts";

let network: Network;
let home: DaemonHome;

beforeEach(() => {
  network = new Network();
  home = new DaemonHome();
});

afterEach(() => {
  network[Symbol.dispose]();
  home[Symbol.dispose]();
});

test("a daemon is scraped, commanded over TCP, listened to, and tells of itself", async () => {
  const { certificate, key } = selfSigned("127.0.0.1");
  writeFileSync(join(home.directory, "api.pem"), certificate);
  writeFileSync(join(home.directory, "api.key"), key);
  const tokens = join(home.directory, "tokens.json");
  const told = join(home.directory, "told");
  writeFileSync(join(home.directory, "tell"), `#!/bin/sh\necho "$*" >> ${told}\n`, { mode: 0o755 });
  writeFileSync(
    home.configuration,
    `metrics: {listen: 9469}
api: {listen: 9470, certificate: ${home.directory}/api.pem, key: ${home.directory}/api.key, tokens: ${tokens}}
notify: [{exec: [${home.directory}/tell], events: [configuration-changed]}]
services:
  - {vip: 10.0.0.1, port: 80, destinations: [{address: 10.1.0.2}]}
`,
  );
  const made = home.sluice(`token create operator --scope admin --tokens ${tokens}`);
  expect(made).toMatchObject({ code: 0, stderr: "" });
  const token = made.stdout.trim();
  const daemon = await home.start(network.director, "--config", home.configuration);

  const page = exposition(network.director.run("curl -sS http://127.0.0.1:9469/metrics"));
  expect(page.find(({ name }) => name === "sluice_services")?.value).toBe(1);
  expect(page.find(({ name }) => name === "sluice_destination_weight")?.labels).toEqual({
    service: "tcp:10.0.0.1:80",
    destination: "10.1.0.2:80",
  });

  const curl = `curl -sS --cacert ${home.directory}/api.pem -o /dev/null -w %{http_code}`;
  const api = "https://127.0.0.1:9470/v1/services/tcp:10.0.0.1:80";
  expect(network.director.run(`${curl} ${api}`)).toBe("401");
  expect(network.director.run(`${curl} --oauth2-bearer ${token} -X DELETE ${api}`)).toBe("204");

  await expect
    .poll(() => (existsSync(told) ? readFileSync(told, "utf8") : ""))
    .toMatch(/^configuration-changed a change, and generation \d+ is in force/);
  const { code, stdout } = home.sluice("events --no-follow --json");
  expect(code).toBe(0);
  const names = stdout
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { event: string }).event);
  expect(names).toEqual(
    expect.arrayContaining([
      "metrics-served",
      "api-served",
      "director-runs",
      "api-refused",
      "api-called",
      "configuration-changed",
    ]),
  );
  expect(home.sluice("history").stdout).toContain("token operator");
  expect(await daemon.end("SIGTERM")).toBe(0);
});
