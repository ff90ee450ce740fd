import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  expectAllOk,
  labProcesses,
  reports,
  runTo,
  scriptApart,
  sluiceApart,
  traces,
  until,
} from "../../test/laboratories.ts";
import { readCapture } from "../net/pcapng-reader.ts";
import { summarize } from "./network/taps.ts";

beforeEach(() => expect(traces()).toEqual([]));
afterEach(() => expect(traces()).toEqual([]));

describe("sluice lab", () => {
  test("dr holds what the handbook says", async () => {
    expectAllOk(await sluiceApart("lab", "dr", "--json"), 9);
  });

  test("makes a mistake, shows it, and mends it", async () => {
    const ended = await sluiceApart("lab", "mistake", "weight-0", "--json");
    expect(ended.stderr).toBe("");
    const { steps, summary } = reports(ended);
    expect(steps.filter(({ ok }) => !ok)).toEqual([]);
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    expect(summary).toEqual({ summary: { passed: 4, failed: 0 } });
    expect(ended.code).toBe(0);
  });

  test("asks what is wrong, and says whether that is right", async () => {
    const answers = "node02 ip -br address show lo\nweight-0\nnonsense\nvip-down\n";
    const line = `printf '${answers.replaceAll("\n", "\\n")}' | "$0" lab mistake --quiz vip-down`;
    const { code, stdout } = await scriptApart(line).ended;
    expect(stdout).toMatch(/Every second request hangs[\s\S]*lo +UNKNOWN +127\.0\.0\.1\/8 *\n/);
    expect(stdout).toMatch(
      /✘ No\.\n[\s\S]*every new request is refused[\s\S]*'nonsense' is no mistake/,
    );
    expect(stdout).toMatch(/✔ Right\.[\s\S]*ifconfig lo:2 down[\s\S]*from 192\.168\.150\.12/);
    expect(code).toBe(0);
    const gaveUp = await scriptApart(`"$0" lab mistake --quiz weight-0 </dev/null`).ended;
    expect(gaveUp.code).toBe(1);
  });

  test("nat holds, too", async () => {
    expectAllOk(await sluiceApart("lab", "nat", "--json"), 9);
  });

  test("dr holds over IPv6", async () => {
    expectAllOk(await sluiceApart("lab", "dr", "--ipv6", "--json"), 9);
  });

  test("tun holds, through every kind of tunnel", async () => {
    expectAllOk(await sluiceApart("lab", "tun", "--json"), 17);
  });

  test.for(["wlc", "sh"])("scheduler %s", async (scheduler) => {
    expectAllOk(await sluiceApart("lab", "--json", "--scheduler", scheduler, "--requests", "4"), 9);
  });

  test("people see the handbook's commands, and a mark for each statement", async () => {
    const { code, stdout } = await sluiceApart("lab");
    expect(stdout).toContain("[root@node01 ~]# ipvsadm -A -t 192.168.150.100:80 -s rr\n");
    expect(stdout.match(/✔/g)?.length).toBeGreaterThan(20);
    expect(stdout).not.toContain("✘");
    expect(stdout).not.toContain("\x1b");
    expect(code).toBe(0);
  });

  // biome-ignore format: a table
  const captured = [
    [[],         ["arp-reply", "tcp", "other"]],
    [["--ipv6"], ["neighbour-solicitation", "neighbour-advertisement", "tcp", "other"]],
  ] as const;

  test.for(captured)("nat %j writes what each host sent and received", async ([words, kinds]) => {
    const directory = mkdtempSync(join(tmpdir(), "lab-captures-"));
    try {
      expectAllOk(await sluiceApart("lab", "nat", ...words, "--json", "--pcap", directory), 9);
      for (const host of ["client", "node01", "node02", "node03"]) {
        const capture = readCapture(readFileSync(join(directory, `${host}.pcapng`)));
        if (typeof capture === "string") throw new Error(`${host}: ${capture}`);
        expect(capture.interfaces.map(({ name }) => name)).toEqual(
          host === "node01" ? ["eth0", "eth1"] : ["eth0"],
        );
        const seen = new Set(capture.packets.map(({ data }) => summarize(data)?.content.kind));
        expect(seen).toEqual(new Set(kinds));
        expect(new Set(capture.packets.map(({ direction }) => direction))).toEqual(
          new Set(["in", "out"]),
        );
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe("nothing remains", () => {
  // biome-ignore format: a table
  const signals = [
    ["SIGINT",  130],
    ["SIGTERM", 143],
    ["SIGHUP",  129],
  ] as const;

  test.for(signals)("after %s", async ([signal, code]) => {
    const lab = await runTo("Step 5");
    lab.kill(signal);
    expect((await lab.ended).code).toBe(code);
    expect(labProcesses().size).toBe(0);
  });

  test("after SIGKILL", async () => {
    const lab = await runTo("Step 4");
    lab.kill("SIGKILL");
    await lab.ended;
    await until(() => labProcesses().size === 0, "the processes' end");
  });

  test("after a statement failed", async () => {
    const lab = await runTo("Step 4");
    kill("@real-server 192.168.150.13");
    const { code, stdout } = await lab.ended;
    expect(stdout).toMatch(/✘ every request is answered/);
    expect(stdout).toMatch(/\d+ of \d+ statements fail/);
    expect(code).toBe(1);
  });

  test("after a failure in the middle", async () => {
    const lab = await runTo("Step 3");
    kill("lab @inside");
    const { code, stderr } = await lab.ended;
    expect(stderr).toContain("The laboratory ended early");
    expect(code).toBe(3);
  });

  test("after the reader left", async () => {
    const lab = await runTo("Step 2");
    lab.stdout!.destroy();
    await lab.ended;
    await until(() => labProcesses().size === 0, "the processes' end");
  });

  /** Ends one process of the laboratory. */
  function kill(command: string): void {
    for (const [pid, line] of labProcesses()) {
      if (line.includes(command) && !line.startsWith("unshare")) process.kill(pid, "SIGKILL");
    }
  }
});
