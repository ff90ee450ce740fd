import { once } from "node:events";
import { stat } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Client } from "../src/api/client.ts";
import { listen } from "../src/api/listen.ts";
import { ROUTES } from "../src/api/routes.ts";
import { createServer } from "../src/api/server.ts";
import { peerOf } from "../src/daemon/peer-credentials.ts";
import type { ConnectionStatus } from "../src/engine/engine.ts";
import { EMPTY_STATE } from "../src/ipvs/desired/desired-state.ts";
import { DEFAULT_SYSCTLS } from "../src/ipvs/desired/sysctls.ts";
import { toPort } from "../src/net/port.ts";
import { type ApiBench, openApiBench } from "./api-bench.ts";
import { address } from "./builders.ts";
import { ipvsadm } from "./ipvsadm-bench.ts";
import { quietStatus } from "./quiet-status.ts";

let bench: ApiBench;
beforeAll(async () => {
  bench = await openApiBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const HTTP = {
  kind: "endpoint",
  protocol: "tcp",
  endpoint: { address: "2001:db8::1", port: 80 },
} as const;

describe("the API", () => {
  test("refuses a service that exists, or does not, before an engine that nobody has", async () => {
    const outcomes = [];
    for (const line of [
      "-A -t 10.0.0.8:80",
      "-A -t 10.0.0.8:80 -p --pe foo",
      "-E -t 10.0.0.9:80 -p --pe foo",
    ]) {
      outcomes.push((await ipvsadm(bench.socketPath, line)).stderr);
    }
    await ipvsadm(bench.socketPath, "-D -t 10.0.0.8:80");
    expect(outcomes).toEqual(["", "Service already exists\n", "No such service\n"]);
  });

  test("does what its client asks, over a real socket", async () => {
    const { client, engine } = bench;
    expect(await client.call("info", {}, undefined)).toEqual({
      name: "sluice",
      version: "0.0.0",
      engine: "memory",
      pid: 1,
      generation: 2,
      connectionTableSize: 4096,
      ipvsVersion: "1.2.1",
    });
    const service = {
      key: HTTP,
      scheduler: "sh",
      schedulerFlags: ["fallback"],
      onePacket: false,
      persistence: { timeoutSeconds: 60, prefixLength: 64 },
      persistenceEngine: null,
    } as const;
    await client.call("addService", {}, service);
    const destination = {
      endpoint: { address: "2001:db8::2", port: 8080 },
      forwarding: { kind: "tunnel", encapsulation: "gre", checksum: "full" },
      weight: 7,
      upperThreshold: 0,
      lowerThreshold: 0,
    } as const;
    await client.call("addDestination", { service: HTTP }, destination);
    expect(await client.call("getService", { service: HTTP }, undefined)).toMatchObject({
      ...service,
      destinations: [destination],
      counters: { connections: 0 },
    });
    const params = { service: HTTP, destination: destination.endpoint };
    await client.call("editDestination", params, { ...destination, weight: 0 });
    await client.call("editService", { service: HTTP }, { ...service, persistence: null });
    await client.call("zeroService", { service: HTTP }, undefined);
    await client.call("zero", {}, undefined);
    expect(engine.zeroed).toEqual(["TCP [2001:db8::1]:80", "all"]);
    const { services } = await client.call("listServices", {}, undefined);
    expect(services).toMatchObject([{ persistence: null, destinations: [{ weight: 0 }] }]);
    await client.call("deleteDestination", params, undefined);
    await client.call("deleteService", { service: HTTP }, undefined);
    await client.call("flush", {}, undefined);
    await client.call("setTimeouts", {}, { tcp: 100, tcpFin: 0, udp: 10 });
    expect(await client.call("getTimeouts", {}, undefined)).toEqual({
      tcp: 100,
      tcpFin: 120,
      udp: 10,
    });
    await client.call("setSysctls", {}, { drop_packet: 3, am_droprate: "0x10" });
    expect(await client.call("listSysctls", {}, undefined)).toMatchObject({
      am_droprate: 16,
      drop_packet: 3,
      sync_threshold: "3\t50",
    });
    expect(engine.desired.sysctls).toMatchObject({ am_droprate: 16, drop_packet: 3 });
    expect(await client.call("reasons", {}, undefined)).toEqual({ "pass-no-service": 3 });
    expect((await client.call("totals", {}, undefined)).counters.connections).toBe(0);
    expect(await client.call("routes", {}, undefined)).toEqual(ROUTES);
    expect(bench.bugs).toEqual([]);
  });

  test("takes many changes by one call, and answers each", async () => {
    const { client, control } = bench;
    const service = {
      key: HTTP,
      scheduler: "rr",
      schedulerFlags: [],
      onePacket: false,
      persistence: null,
      persistenceEngine: null,
    } as const;
    const unknown = { ...HTTP, endpoint: { address: "10.0.0.77", port: 1 } };
    const answers = await client.changes([
      { name: "addService", params: {}, body: service },
      { name: "addService", params: {}, body: service },
      { name: "deleteService", params: { service: unknown }, body: undefined },
      { name: "setTimeouts", params: {}, body: { tcp: -1, tcpFin: 0, udp: 0 } },
      { name: "setTimeouts", params: {}, body: { tcp: 200, tcpFin: 0, udp: 0 } },
    ]);
    expect(answers.map((error) => error?.code)).toEqual([
      undefined,
      "service-exists",
      "no-such-service",
      "bad-request",
      undefined,
    ]);
    expect(control.state.timeouts.tcp).toBe(200);
    await client.call("deleteService", { service: HTTP }, undefined);
    expect(bench.bugs).toEqual([]);
  });

  test("says what is wrong with a line, and goes on with the next", async () => {
    const body = '{"call":"fly"}\nnonsense\n{"call":"zero"}';
    const { status, text } = await sendForText("POST /v1/changes", body);
    const answers = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(status).toBe(200);
    expect(answers[0].error.message).toContain("call: ");
    expect(answers[1].error.message).toContain("is not JSON");
    expect(answers[2]).toEqual({});
  });

  test("streams a table of connections that nobody holds whole", async () => {
    const client = address("10.0.0.9");
    const server = { address: address("10.0.0.2"), port: toPort(80) };
    bench.engine.entries = Array.from({ length: 50_000 }, (_, index) => ({
      protocol: "TCP",
      state: "ESTABLISHED",
      expiresInMs: 1000,
      ageMs: 5000,
      client: { address: client, port: toPort(index % 65_536) },
      virtual: server,
      destination: server,
      persistenceEngine: undefined,
    })) satisfies ConnectionStatus[];
    let count = 0;
    for await (const { client: from } of bench.client.connections()) {
      if (from.port !== count) expect(from.port).toBe(count);
      count++;
    }
    expect(count).toBe(50_000);

    // A reader that goes away early ends the listing and not the server.
    for await (const connection of bench.client.connections()) {
      expect(connection.client.port).toBe(0);
      break;
    }
    expect(await bench.client.call("getTimeouts", {}, undefined)).toBeDefined();
    bench.engine.entries = [];
  });

  const SERVICE = '{"key":{"kind":"mark","family":"inet","mark":1}';

  // biome-ignore format: a table
  const refusals: [call: string, body: string, status: number, code: string, message: string][] = [
    ["GET /v2/services",                          "",              404, "no-such-route",   "Nothing answers GET /v2/services: GET /v1 lists what does"],
    ["PATCH /v1/services",                        "",              405, "no-such-method",  "PATCH is not for /v1/services, which takes GET, HEAD, POST"],
    ["DELETE /v1/events",                         "",              405, "no-such-method",  "DELETE is not for /v1/events, which takes GET, HEAD"],
    ["GET /v1/services/tcp:10.0.0.1:80",          "",              404, "no-such-service", "No such service: TCP 10.0.0.1:80"],
    ["GET /v1/services/tcp:10.0.0.1",             "",              400, "bad-request",     'Cannot read "tcp:10.0.0.1" as a service: expected tcp:10.0.0.1:80'],
    ["GET /v1/services/fwmark:0",                 "",              400, "bad-request",     'Cannot read "fwmark:0" as a service'],
    ["POST /v1/services",                         "{",             400, "bad-request",     "The body is not JSON: "],
    ["POST /v1/services",                         "{}",            400, "bad-request",     "key: "],
    ["POST /v1/services",                         '{"key":{"kind":"endpoint","protocol":"tcp","endpoint":{"address":"x","port":80}}}', 400, "bad-request", "key.endpoint.address: expected an IPv4 or IPv6 address"],
    ["POST /v1/services",                         '{"key":{"kind":"endpoint","protocol":"icmp","endpoint":{"address":"::","port":80}}}', 400, "bad-request", 'key.protocol: Invalid option: expected one of "tcp"|"udp"|"sctp"'],
    ["POST /v1/services",                         `${SERVICE},"color":"red"}`, 400, "bad-request", 'Unrecognized key: "color"'],
    ["POST /v1/services",                         `${SERVICE},"scheduler":"nosuch"}`, 400, "no-such-scheduler", "Scheduler or persistence engine not found: FWM 1: nosuch"],
    ["POST /v1/services",                         `${SERVICE},"persistenceEngine":"nosuch"}`, 400, "no-such-scheduler", "Scheduler or persistence engine not found: FWM 1: nosuch"],
    ["POST /v1/services",                         `${SERVICE},"persistence":{"timeoutSeconds":0,"netmask":"255.0.0.0"}}`, 400, "bad-request", "persistence.timeoutSeconds: Too small"],
    ["POST /v1/services",                         `${SERVICE},"persistence":{"timeoutSeconds":9,"prefixLength":64}}`, 400, "invalid", "an IPv4 service's persistence has a netmask, not a prefixLength"],
    ["PUT /v1/services/fwmark:2",                 `${SERVICE}}`,   400, "bad-request",     "The body is not about what the path names"],
    ["PUT /v1/services/fwmark:1",                 `${SERVICE}}`,   404, "no-such-service", "No such service: FWM 1"],
    ["POST /v1/services/fwmark:1/destinations",   '{"endpoint":{"address":"10.0.0.1","port":80}}', 404, "service-not-defined", "Service not defined: FWM 1"],
    ["POST /v1/services/fwmark:1/destinations",   '{"endpoint":{"address":"10.0.0.1","port":80},"weight":-1}', 400, "bad-request", "weight: Too small"],
    ["POST /v1/services/fwmark:1/destinations",   '{"endpoint":{"address":"10.0.0.1","port":80},"forwarding":{"kind":"tunnel","encapsulation":"gue","port":0,"checksum":"none"}}', 400, "bad-request", "forwarding.port: Too small"],
    ["DELETE /v1/services/fwmark:1/destinations/10.0.0.1", "",     400, "bad-request",     'Cannot read "10.0.0.1" as a destination'],
    ["PUT /v1/timeouts",                          '{"tcp":1,"tcpFin":2,"udp":9999999}', 400, "bad-request", "udp: Too big"],
    ["PUT /v1/sysctls",                           '{"drop_entry":true}', 400, "bad-request", "drop_entry: Invalid input: expected number"],
    ["PUT /v1/sysctls",                           '{"drop_entry":4}', 400, "sysctl-out-of-range", "Invalid argument: net.ipv4.vs.drop_entry: 4 is not in 0 to 3"],
    ["PUT /v1/sysctls",                           '{"am_droprate":1.5}', 400, "sysctl-not-a-number", 'net.ipv4.vs.am_droprate: expected a whole number, got "1.5"'],
    ["PUT /v1/sysctls",                           '{"sloppy_tcp":1,"drop":1}', 400, "no-such-sysctl", "No such file or directory: net.ipv4.vs.drop"],
    ["PUT /v1/sysctls",                           '{"debug_level":1}', 400, "sysctl-without-effect", "net.ipv4.vs.debug_level: Sluice has no messages in the kernel's log"],
    ["POST /v1/services",                         `"${"x".repeat(70_000)}"`, 413, "too-large", "The body is longer than 65536 bytes"],
  ];

  test.for(refusals)("refuses %s %s", async ([call, body, status, code, message]) => {
    const reply = await send(call, body);
    expect(reply.status).toBe(status);
    expect(reply.json).toMatchObject({
      error: { code, message: expect.stringContaining(message) },
    });
    expect(bench.bugs).toEqual([]);
  });

  test("explains a refusal with its facts", async () => {
    const body = `${SERVICE}}`;
    expect((await send("POST /v1/services", body)).status).toBe(201);
    expect(await send("POST /v1/services", body)).toEqual({
      status: 409,
      json: {
        type: "about:blank",
        title: "Conflict",
        status: 409,
        detail: "Service already exists: FWM 1",
        error: {
          code: "service-exists",
          message: "Service already exists: FWM 1",
          fault: { code: "service-exists", service: { kind: "mark", family: "inet", mark: 1 } },
        },
      },
    });
    await bench.control.change(() => EMPTY_STATE);
  });

  test("sets several knobs or none, and says which one is wrong", async () => {
    await bench.control.change(() => EMPTY_STATE);
    const reply = await send("PUT /v1/sysctls", '{"sloppy_tcp":1,"secure_tcp":-1}');
    expect(reply.json).toMatchObject({
      error: {
        fault: { code: "sysctl-out-of-range", name: "secure_tcp", value: -1, least: 0, most: 3 },
        problems: [{ path: "secure_tcp", message: expect.stringContaining("-1 is not in 0 to 3") }],
      },
    });
    expect(bench.engine.desired.sysctls).toEqual(DEFAULT_SYSCTLS);
  });

  test("answers a bug with 500 and tells the daemon", async () => {
    bench.engine.refusal = new Error("broken");
    const reply = await send("POST /v1/services", `${SERVICE}}`);
    expect(reply).toMatchObject({
      status: 500,
      json: { detail: "broken", error: { code: "internal", message: "broken" } },
    });
    expect(bench.bugs.splice(0)).toMatchObject([{ message: "broken" }]);
  });

  test("a caller who breaks off is no bug, whatever it was about to say", async () => {
    for (let time = 0; time < 20; time++) {
      const sending = request({
        socketPath: bench.socketPath,
        method: "POST",
        path: "/v1/services",
        headers: { "content-length": 1_000 },
      });
      sending.on("error", () => {});
      sending.write('{"key":');
      await once(sending, "socket");
      await new Promise((resolve) => setTimeout(resolve, time % 4));
      sending.destroy();
    }
    // What was broken off has been noticed once another call is answered.
    for (let time = 0; time < 5; time++) await bench.client.call("info", {}, undefined);
    expect(bench.bugs).toEqual([]);
  });

  test("who breaks off a listing is no bug either, and nobody writes past the log", async () => {
    const spoken: unknown[] = [];
    for (const method of ["error", "info", "log", "warn"] as const) {
      vi.spyOn(console, method).mockImplementation((...words) => void spoken.push(words));
    }
    const end = { address: address("10.0.0.9"), port: toPort(80) };
    bench.engine.entries = Array.from({ length: 100_000 }, () => ({
      protocol: "TCP",
      state: "ESTABLISHED",
      expiresInMs: 1000,
      ageMs: 5000,
      client: end,
      virtual: end,
      destination: end,
      persistenceEngine: undefined,
    })) satisfies ConnectionStatus[];
    for (let time = 0; time < 5; time++) {
      const sending = request({ socketPath: bench.socketPath, path: "/v1/connections" });
      sending.end();
      const [response] = (await once(sending, "response")) as [IncomingMessage];
      await once(response, "data");
      response.on("error", () => {});
      sending.destroy();
    }
    for (let time = 0; time < 5; time++) await bench.client.call("info", {}, undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(spoken).toEqual([]);
    expect(bench.bugs).toEqual([]);
    vi.restoreAllMocks();
    bench.engine.entries = [];
  });

  test("lets owner and group in, and no second daemon", async () => {
    expect((await stat(bench.socketPath)).mode & 0o777).toBe(0o660);
    const server = createServer(bench.control, {
      version: "0.0.0",
      pid: 1,
      status: quietStatus(bench.engine),
      events: bench.events,
      onBug: () => {},
    });
    await expect(listen(server, bench.socketPath, { peerOf })).rejects.toThrow(
      `Cannot listen on ${bench.socketPath}: a daemon already answers there (process 1); end it first, or give this one, if it is for another network namespace, paths of its own: --socket PATH --state PATH`,
    );
  });

  test("goes with its socket, and ipvsadm then says so", async () => {
    await using other = await openApiBench();
    const path = `${other.socketPath}.none`;
    for (const words of ["-q", "-L", "-h", "--version"]) {
      expect(await ipvsadm(path, words)).toEqual({
        exitCode: 2,
        stdout: "",
        stderr: `Can't initialize ipvs: Protocol not available
Are you sure that IP Virtual Server is built in the kernel or as module?
Nothing answers on ${path}: start Sluice with 'sluice daemon', or set SLUICE_SOCKET to its socket.
`,
      });
    }
  });

  test("a client of a daemon that is gone gets Node's own error", async () => {
    const client = new Client("/nonexistent/sluice.sock");
    await expect(client.call("info", {}, undefined)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

async function send(call: string, body: string): Promise<{ status: number; json: unknown }> {
  const { status, text } = await sendForText(call, body);
  return { status, json: JSON.parse(text || "null") };
}

async function sendForText(call: string, body: string): Promise<{ status: number; text: string }> {
  const [method, path] = call.split(" ");
  const sending = request({ socketPath: bench.socketPath, method: method!, path: path! });
  sending.end(body);
  const [response] = await once(sending, "response");
  let text = "";
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, text };
}
