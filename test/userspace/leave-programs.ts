/**
 * Has the kernel engine's programs run at an interface, and leaves them there:
 *
 *     node test/userspace/leave-programs.ts PLACE DEVICE HOOK
 */
import type { Link } from "../../src/engine/host/links.ts";
import { interfaceIndex } from "../../src/engine/host/system/libc.ts";
import { Attachments, type Hook } from "../../src/engine/kernel/attachments.ts";
import { KernelFlows } from "../../src/engine/kernel/kernel-flows.ts";
import { Pins } from "../../src/engine/kernel/pins.ts";

const [place = "", name = "", hook = "tcx"] = process.argv.slice(2);
const say = (): void => {};
const pins = new Pins(place);
using flows = new KernelFlows({
  connectionsMax: 1_000,
  outliving: { pins, adopts: false, inform: say, warn: say },
});
using attachments = new Attachments(flows.programs, { hook: hook as Hook, pins });
const index = interfaceIndex(name);
attachments.follow(
  new Map([[index, { index, name, header: "ethernet", isLoopback: false } as unknown as Link]]),
);
attachments.leave();
process.stdout.write("left\n");
