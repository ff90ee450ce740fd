import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Namespace, untilPrinted } from "../../../test/userspace/namespaces.ts";

const PROGRAM = new URL("../../../test/userspace/claim-namespace.ts", import.meta.url).pathname;
const NOBODY = "65534";
const RACERS = 6;

let host: Namespace;

beforeEach(() => {
  host = new Namespace("claim");
});

afterEach(() => {
  host[Symbol.dispose]();
});

const claimed = async () => {
  const child = host.startNode(PROGRAM);
  return { child, said: (await untilPrinted(child, "\n")).trim() };
};

test("a second one is told whose the namespace is, and how to see it", async () => {
  const { child, said } = await claimed();
  expect(said).toBe("claimed");
  expect((await claimed()).said).toBe(
    `Cannot move packets here: another Sluice (process ${child.pid}) does already, in this network namespace; end it first (it holds the netfilter table "ip sluice_engine")`,
  );
  expect(host.run("nft list table ip sluice_engine")).toContain(`comment "process ${child.pid}"`);
});

test.for(["SIGKILL", "SIGTERM"] as const)("it is free again after %s", async (signal) => {
  const { child } = await claimed();
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
  expect((await claimed()).said).toBe("claimed");
});

test("of many that begin together one has it", async () => {
  const all = await Promise.all(Array.from({ length: RACERS }, claimed));
  expect(all.filter(({ said }) => said === "claimed")).toHaveLength(1);
});

test("a user without privileges can claim nothing, and so stops nobody", async () => {
  const words = ["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"];
  const node = [process.execPath, "--disable-warning=ExperimentalWarning", PROGRAM];
  // He has every capability, in a user namespace of his own.
  for (const before of [[], ["unshare", "--user", "--map-root-user"]]) {
    const child = host.start("setpriv", ...words, ...before, ...node);
    expect(await untilPrinted(child, "\n")).toContain("it needs CAP_NET_ADMIN");
  }
  expect((await claimed()).said).toBe("claimed");
});
