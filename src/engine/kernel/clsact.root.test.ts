/** Where there is no tcx: tc filters, which the kernel keeps when a daemon is killed. */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { BenchNetwork, UserspaceBench } from "../../../test/userspace/bench.ts";
import { untilPrinted } from "../../../test/userspace/namespaces.ts";
import { sees, state } from "../contract/watching.contract.ts";

const POLLED = { timeout: 10_000, interval: 100 };
const ENGINE = new URL("../../../test/userspace/engine-process.ts", import.meta.url).pathname;

let network: BenchNetwork;

beforeAll(async () => {
  network = await BenchNetwork.open();
});

afterAll(async () => {
  await network[Symbol.asyncDispose]();
});

function filters(): string {
  return network.director.run("tc filter show dev outside ingress");
}

/** A filter that takes nothing, in classic BPF. */
function program(): string {
  const file = join(mkdtempSync(join(tmpdir(), "sluice-filter-")), "program");
  onTestFinished(() => rmSync(dirname(file), { recursive: true }));
  writeFileSync(file, "1,6 0 0 0");
  return file;
}

function queues(): string {
  return network.director.run("tc qdisc show dev outside");
}

test("known flows go by tc filters, of which nothing stays", async () => {
  {
    await using bench = await UserspaceBench.open(network, "kernel-clsact");
    await bench.engine.apply(state("-A -t V:80", "-a -t V:80 -r R1:8080 -m"));
    await sees(bench, "C", "C:1000 > V:80 S");
    await sees(bench, "R1", "R1:8080 > C:1000 S.");
    const byKernel = async (): Promise<number> => {
      expect(await sees(bench, "C", "C:1000 > V:80 .")).toEqual(["R1: C:1000 > R1:8080 . ttl 63"]);
      expect(await sees(bench, "R1", "R1:8080 > C:1000 .")).toEqual(["C: V:80 > C:1000 . ttl 63"]);
      return (await bench.engine.reasons())["kernel-forwarded"]!;
    };
    await expect.poll(byKernel, POLLED).toBeGreaterThan(3);
    expect(filters()).toMatch(/pref 58652 bpf.* sluice direct-action/);
  }
  expect(queues()).not.toContain("clsact");
});

test("another's filters stay, and so does what they are at", async () => {
  const { director } = network;
  director.run("tc qdisc add dev outside clsact");
  director.run(`tc filter add dev outside egress prio 7 bpf bytecode-file ${program()}`);
  {
    await using _bench = await UserspaceBench.open(network, "kernel-clsact");
    expect(filters()).toContain("sluice");
  }
  expect(filters()).toBe("");
  expect(director.run("tc filter show dev outside egress")).toContain("pref 7 bpf");
  director.run("tc qdisc del dev outside clsact");
});

test("what a killed daemon left leads nowhere, and the next one takes its place", async () => {
  const { director } = network;
  director.run("ip link add idle type veth peer name idle-peer");
  try {
    const killed = director.startNode(ENGINE, "kernel-clsact");
    await untilPrinted(killed, "ready");
    const ended = once(killed, "exit");
    killed.kill("SIGKILL");
    await ended;
    expect(filters()).toContain("sluice");
    // A port of a bridge is none that the next one runs a program at.
    director.run("ip link add bridge type bridge");
    director.run("ip link set idle master bridge");
    {
      await using bench = await UserspaceBench.open(network, "kernel-clsact");
      expect(director.run("tc filter show dev idle ingress")).toBe("");
      await bench.engine.apply(state("-A -t V:80", "-a -t V:80 -r R1"));
      expect(await sees(bench, "C", "C:2000 > V:80 S")).toHaveLength(1);
    }
    expect(queues()).not.toContain("clsact");
  } finally {
    director.run("ip link del idle");
    director.run("ip link del bridge");
  }
});
