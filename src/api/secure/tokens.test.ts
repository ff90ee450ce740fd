import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { run } from "../../cli/token/main.ts";
import { Attempts } from "./attempts.ts";
import { Tokens } from "./tokens.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tokens-"));
  path = join(folder, "tokens.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

async function token(line: string) {
  const said = { stdout: "", stderr: "" };
  const code = await run([...line.split(" "), "--tokens", path], {
    write: async (text) => {
      said.stdout += text;
    },
    complain: (text) => {
      said.stderr += text;
    },
  });
  return { code, ...said };
}

test("a token is told once, and its file has nothing that opens", async () => {
  const { code, stdout } = await token("create prometheus");
  expect(code).toBe(0);
  const secret = stdout.trim();
  expect(secret).toMatch(/^sluice_[\w-]{43}$/);
  const kept = readFileSync(path, "utf8");
  expect(kept).not.toContain(secret.slice(7));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const tokens = new Tokens(path);
  expect(await tokens.find(secret)).toMatchObject({ name: "prometheus", scope: "read" });
  for (const wrong of [
    "",
    "sluice_",
    `${secret}x`,
    secret.slice(0, -1),
    JSON.parse(kept).tokens[0].sha256,
  ]) {
    expect(await tokens.find(wrong)).toBeUndefined();
  }
  expect((await token("list")).stdout).toMatch(/^prometheus +read +\d{4}-/);
});

test("what another process revokes opens nothing any more", async () => {
  const tokens = new Tokens(path);
  const secret = await tokens.create("operator", "admin");
  expect(await tokens.find(secret)).toBeDefined();
  expect(await token("revoke operator")).toMatchObject({ code: 0 });
  expect(await tokens.find(secret)).toBeUndefined();
});

test.each([
  ["create a/b", 1, "is no token's name"],
  ["create twice", 1, "there is a token twice already"],
  ["revoke nobody", 1, "there is no token nobody"],
  ["create", 2, "create needs a token's name"],
  ["create x --scope root", 2, "expected read or admin"],
  ["grow x", 2, "expected create, list or revoke"],
])("token %s: %d, %s", async (line, code, why) => {
  await new Tokens(path).create("twice", "read");
  const said = await token(line);
  expect(said.code).toBe(code);
  expect(said.stderr).toContain(why);
});

test.each(["", "nonsense", "{}", '{"tokens":[{"name":"x"}]}'])(
  "a file that says %j is an error, and opens nothing",
  async (text) => {
    writeFileSync(path, text, { mode: 0o600 });
    await expect(new Tokens(path).find("sluice_x")).rejects.toThrow("cannot be used");
  },
);

test("a file that others could write is not believed", async () => {
  await new Tokens(path).create("x", "admin");
  chmodSync(path, 0o666);
  await expect(new Tokens(path).list()).rejects.toThrow("chmod 600");
});

test("who fails often waits, whichever address of its network it comes from", () => {
  let now = 0;
  const attempts = new Attempts({ now: () => now });
  expect(attempts.fail("2001:db8::1")).toBe(true);
  for (let count = 2; count <= 10; count++) {
    expect(attempts.waitSeconds("2001:db8::1")).toBe(0);
    expect(attempts.fail(`2001:db8::${count}`)).toBe(false);
  }
  now = 1_000;
  expect(attempts.waitSeconds("2001:db8:0:0:ffff::1")).toBe(59);
  expect(attempts.waitSeconds("2001:db8:0:1::1")).toBe(0);
  expect(attempts.waitSeconds("192.0.2.1")).toBe(0);
  now = 60_000;
  expect(attempts.waitSeconds("2001:db8::1")).toBe(0);
  for (let count = 0; count < 600; count++) attempts.fail(`192.0.2.${count}`);
  expect(attempts.waitSeconds("198.51.100.1")).toBe(60);
});
