import { expect, test } from "vitest";
import { openApiBench } from "../../../test/api-bench.ts";
import { run } from "./main.ts";

async function events(socketPath: string, ...args: string[]) {
  let [stdout, stderr] = ["", ""];
  const code = await run(args, {
    environment: { SLUICE_SOCKET: socketPath },
    write: async (text) => {
      stdout += text;
    },
    complain: (text) => {
      stderr += text;
    },
  });
  return { code, stdout, stderr };
}

test("what happened is shown, by name, as words and as JSON", async () => {
  await using bench = await openApiBench();
  const said = (name: string) => ({ name, message: `${name} was said`, facts: { count: 1 } });
  for (const name of ["finding-began", "configuration-in-force"]) bench.events.publish(said(name));
  const all = await events(bench.socketPath, "--no-follow");
  expect(all).toMatchObject({ code: 0, stderr: "" });
  expect(all.stdout).toMatch(
    /^\S+Z finding-began: .* was said\n\S+Z configuration-in-force: .*\n$/,
  );
  const { stdout } = await events(bench.socketPath, "--no-follow", "--json", "--only", "finding");
  expect(JSON.parse(stdout)).toMatchObject({
    id: "bench-1",
    event: "finding-began",
    data: { message: "finding-began was said", count: 1 },
  });
  const sampled = await events(bench.socketPath, "--no-follow", "--connections", "3");
  expect(sampled.stdout).toContain('connections {"of":0,"sample":[]}');
  expect(bench.bugs).toEqual([]);
});

test("what makes no sense is refused with what would", async () => {
  expect(await events("/nowhere", "--connections", "many")).toMatchObject({ code: 2 });
  await using bench = await openApiBench();
  expect(await events(bench.socketPath, "--connections", "5000")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("expected an integer from 0 to 1000"),
  });
  expect(await events("/nowhere", "--no-follow")).toMatchObject({ code: 1 });
});
