import { expect, test } from "vitest";
import { openApiBench } from "../../test/api-bench.ts";
import { setTimeouts } from "../ipvs/desired/desired-state.ts";
import { provided } from "./precondition.ts";
import { ChangedMeanwhile } from "./problem.ts";

test("of two editors that began with the same configuration the second is refused", async () => {
  await using bench = await openApiBench();
  const seen = await bench.server.request("/v1/configuration");
  const tag = seen.headers.get("etag");
  expect(tag).toMatch(/^"\d+"$/);
  const body = `${JSON.stringify({ timeouts: { tcp: 100 } })}\n`;
  const put = (ifMatch: string, content: string) =>
    bench.server.request("/v1/configuration", {
      method: "PUT",
      headers: { "if-match": ifMatch },
      body: content,
    });
  expect((await put(tag!, body)).status).toBe(200);
  const second = await put(tag!, body.replace("100", "200"));
  expect(second.status).toBe(412);
  expect(await second.json()).toMatchObject({ error: { code: "changed-meanwhile" } });
  expect(bench.control.state.timeouts.tcp).toBe(100);
  const again = await bench.server.request("/v1/configuration");
  expect(again.headers.get("etag")).not.toBe(tag);
});

const SERVICE = {
  key: { kind: "mark", family: "inet", mark: 1 },
  scheduler: "rr",
  schedulerFlags: [],
  onePacket: false,
  persistence: null,
  persistenceEngine: null,
};
const TIMEOUTS = { tcp: 100, tcpFin: 0, udp: 0 };

// biome-ignore format: a table
const changes: [call: string, body: unknown, status: number][] = [
  ["PUT /v1/services/fwmark:1",                            { ...SERVICE, scheduler: "wlc" }, 204],
  ["POST /v1/services/fwmark:1/destinations",              { endpoint: { address: "10.0.0.3", port: 0 } }, 201],
  ["PUT /v1/services/fwmark:1/destinations/10.0.0.2:0",    { endpoint: { address: "10.0.0.2", port: 0 }, weight: 7 }, 204],
  ["PUT /v1/services/fwmark:1/destinations/10.0.0.2:0/drain", {}, 204],
  ["DELETE /v1/services/fwmark:1/destinations/10.0.0.2:0", undefined, 204],
  ["DELETE /v1/services/fwmark:1",                         undefined, 204],
  ["PUT /v1/timeouts",                                     TIMEOUTS, 204],
  ["PUT /v1/sysctls",                                      { sloppy_tcp: 1 }, 204],
  ["POST /v1/history/1/rollback",                          undefined, 200],
  ["POST /v1/zero",                                        undefined, 204],
];

test.for(changes)(
  "%s is made only if what its caller saw is in force",
  async ([call, body, status]) => {
    await using bench = await openApiBench();
    const send = (what: string, content: unknown, ifMatch?: string) => {
      const [method = "", path = ""] = what.split(" ");
      return bench.server.request(path, {
        method,
        headers: ifMatch === undefined ? {} : { "if-match": ifMatch },
        ...(content === undefined ? {} : { body: JSON.stringify(content) }),
      });
    };
    await send("POST /v1/services", SERVICE);
    const destination = { endpoint: { address: "10.0.0.2", port: 0 } };
    await send("POST /v1/services/fwmark:1/destinations", destination);
    const tags = await Promise.all(
      ["services", "services/fwmark:1", "timeouts", "sysctls", "configuration"].map(async (path) =>
        (await send(`GET /v1/${path}`, undefined)).headers.get("etag"),
      ),
    );
    expect(new Set(tags)).toEqual(new Set([`"2"`]));
    const before = bench.control.state;
    const late = await send(call, body, `"1"`);
    expect([late.status, bench.control.state]).toEqual([412, before]);
    expect(await late.json()).toMatchObject({ error: { code: "changed-meanwhile" } });
    expect((await send(call, body, "2")).status).toBe(400);
    expect((await send(call, body, `"2"`)).status).toBe(status);
  },
);

test("of two that come at the same moment one is made", async () => {
  await using bench = await openApiBench();
  const put = (tcp: number) =>
    bench.server.request("/v1/timeouts", {
      method: "PUT",
      headers: { "if-match": `"0"` },
      body: JSON.stringify({ ...TIMEOUTS, tcp }),
    });
  const replies = await Promise.all([put(100), put(200)]);
  expect(replies.map(({ status }) => status)).toEqual([204, 412]);
  expect(bench.control.state.timeouts.tcp).toBe(100);
});

test("whether counters are restarted is decided in turn, not when it is asked", async () => {
  await using bench = await openApiBench();
  const { control } = bench;
  const changing = control.change((state) => setTimeouts(state, TIMEOUTS));
  await expect(provided(control, 0).zero(undefined)).rejects.toThrow(ChangedMeanwhile);
  await changing;
});
