import { once } from "node:events";
import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { retire } from "./retire.ts";

test("who is being answered gets the answer, and nobody else comes in", async () => {
  const asked = Promise.withResolvers<ServerResponse>();
  const server = createServer((_, response) => asked.resolve(response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const answer = once(get(url), "response") as Promise<[IncomingMessage]>;
  const response = await asked.promise;
  response.write("half ");
  const gone = retire(server);
  await expect(fetch(url)).rejects.toMatchObject({ cause: { code: "ECONNREFUSED" } });
  response.end("whole");
  const [incoming] = await answer;
  expect(await text(incoming)).toBe("half whole");
  await gone;
});
