/**
 * In a guest: loads the programs and has the first of them run at an interface, whose name is the argument. Says in a line of
 * JSON what came of it.
 */

import type { Link } from "../../src/engine/host/links.ts";
import { interfaceIndex } from "../../src/engine/host/system/libc.ts";
import { Attachments } from "../../src/engine/kernel/attachments.ts";
import { KernelFlows } from "../../src/engine/kernel/kernel-flows.ts";
import { TestRun } from "../../src/engine/kernel/libbpf.ts";

export interface Loaded {
  /** Where it ran. */
  readonly hook: string | undefined;
  /** Where it ran when it was asked to at XDP. */
  readonly xdp: string | undefined;
  /** What it returned for a frame of nobody's. */
  readonly result: number;
  /** How often it was counted as one that nothing is to be done with here. */
  readonly passed: number;
}

const [name = ""] = process.argv.slice(2);
// 10.0.0.1:1 > 10.0.0.2:2, UDP.
const FRAME = Buffer.from(
  "000000000000000000000000 0800 4500001c 00000000 4011 66cf 0a000001 0a000002 00010002 00080000".replaceAll(
    " ",
    "",
  ),
  "hex",
);

using flows = new KernelFlows({ connectionsMax: 1_000 });
using attachments = new Attachments(flows.programs);
const index = interfaceIndex(name);
const link = { index, name, mac: new Uint8Array(6), header: "ethernet" } as unknown as Link;
attachments.follow(new Map([[index, link]]));
using atXdp = new Attachments(flows.programs, { xdpMaps: flows.maps });
atXdp.follow(new Map([[index, link]]));
const [card] = atXdp.cards;
using run = new TestRun(128);
const { result } = run.run(flows.programs.atCard, FRAME);
const loaded: Loaded = {
  hook: attachments.hook,
  xdp: card?.why === null ? card.hook : `${card?.hook}: ${card?.why}`,
  result,
  passed: flows.reasons()["kernel-pass-director"] ?? 0,
};
process.stdout.write(`${JSON.stringify(loaded)}\n`);
