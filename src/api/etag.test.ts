import { expect, test } from "vitest";
import { openApiBench } from "../../test/api-bench.ts";

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
