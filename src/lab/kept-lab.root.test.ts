/** Laboratories that are kept, and those of users other than root: each user has one at a time. */
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  CHECKOUT,
  expectAllOk,
  KEPT,
  labProcesses,
  SLUICE,
  sluice,
  sluiceAsNobody,
  start,
  traces,
  until,
} from "../../test/laboratories.ts";

beforeEach(() => expect(traces(KEPT)).toEqual([]));
afterEach(() => expect(traces(KEPT)).toEqual([]));

describe("a laboratory that is kept", () => {
  test("with a sluice.yaml dr survives a killed server and daemon, a lost VIP and a bad file", async () => {
    const file = join(CHECKOUT, "examples/web.yaml");
    try {
      expectAllOk(await sluice("lab", "dr", "--keep", "--config", file, "--json"), 8);
      const ask = ["lab", "shell", "client", "curl", "-s", "-m", "10", "http://192.168.150.100/"];
      expect((await sluice(...ask)).stdout).toMatch(/^from 192\.168\.150\.1[23]\n$/);
      // Whatever ends the daemon, it comes again.
      await sluice("lab", "shell", "node01", "pkill", "-KILL", "-f", "sluice.* daemon");
      expect((await sluice(...ask)).stdout).toMatch(/^from 192\.168\.150\.1[23]\n$/);
    } finally {
      expect(await sluice("lab", "down")).toMatchObject({ code: 0 });
    }
    await until(() => labProcesses().size === 0, "the processes' end");
  });

  const stories = [
    ["root", sluice],
    ["nobody, in a user namespace", sluiceAsNobody],
  ] as const;

  test.for(stories)("by %s can be entered, and taken down once", async ([, run]) => {
    try {
      expectAllOk(await run("lab", "dr", "--keep", "--json"), 8);

      const shell = await run("lab", "shell", "node02", "ip", "-o", "address");
      expect(shell.stdout).toContain("192.168.150.100/32");
      const listing = await run("lab", "shell", "node01", "ipvsadm", "-ln");
      expect(listing.stdout).toContain("TCP  192.168.150.100:80 rr");
      const answer = await run("lab", "shell", "client", "curl", "-s", "http://192.168.150.100/");
      expect(answer.stdout).toMatch(/^from 192\.168\.150\.1[23]\n$/);
      expect(await run("lab", "shell", "node03", "sh", "-c", "exit 7")).toMatchObject({ code: 7 });

      const second = await run("lab", "nat");
      expect(second).toMatchObject({ code: 3, stdout: "" });
      expect(second.stderr).toContain("sluice lab down");
    } finally {
      expect(await run("lab", "down")).toMatchObject({ code: 0, stdout: "lab dr is removed.\n" });
    }
    expect(await run("lab", "down")).toMatchObject({ code: 0, stdout: "No laboratory is kept.\n" });
    expect(await run("lab", "shell", "node01")).toMatchObject({ code: 3 });
  });

  test("whose processes were killed is forgotten", async () => {
    expect(await sluice("lab", "dr", "--keep")).toMatchObject({ code: 0 });
    for (const pid of labProcesses().keys()) process.kill(pid, "SIGKILL");
    await until(() => labProcesses().size === 0, "the processes' end");
    expect(await sluice("lab", "down")).toMatchObject({ stdout: "No laboratory is kept.\n" });
  });
});

describe("without root", () => {
  test("works in a user namespace", async () => {
    expectAllOk(await sluiceAsNobody("lab", "dr", "--json"), 9);
    expectAllOk(await sluiceAsNobody("lab", "nat", "--json"), 9);
  });

  test.for(["dr", "nat"])("%s works there over IPv6", async (scenario) => {
    expectAllOk(await sluiceAsNobody("lab", scenario, "--ipv6", "--json"), 9);
  });

  test("tunnels work there, too", async () => {
    expectAllOk(await sluiceAsNobody("lab", "tun", "--ipv6", "--tunnel", "gre", "--json"), 11);
  });

  test("says what to do where the kernel grants none", async () => {
    // A user namespace that may hold no other, so that its root is as helpless as such a machine's users.
    const script = `echo 0 >/proc/sys/user/max_user_namespaces && echo 0 >/proc/sys/user/max_net_namespaces &&
      exec "$0" lab`;
    const { code, stderr } = await start("unshare", ["-Ur", "sh", "-c", script, SLUICE]).ended;
    expect(stderr).toContain("grants no network namespaces here");
    expect(code).toBe(3);
  });
});
