import { afterAll, beforeAll } from "vitest";
import { BenchNetwork, UserspaceBench } from "../../../test/userspace/bench.ts";
import { describeEngine } from "../engine.contract.ts";

let network: BenchNetwork;

beforeAll(async () => {
  network = await BenchNetwork.open();
});

afterAll(async () => {
  await network[Symbol.asyncDispose]();
});

describeEngine("the kernel engine", () => UserspaceBench.open(network, "kernel"));
