/** Which engine the daemon runs: as it was told, or what this host can. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { claimNamespace } from "../engine/host/namespace-claim.ts";
import { SystemCallError } from "../engine/host/system/libc.ts";
import type { KernelOffload, KernelOutliving } from "../engine/kernel/kernel-offload.ts";
import { BpfError } from "../engine/kernel/libbpf.ts";
import type { DoorEvents } from "../engine/userspace/door/door.ts";
import { UserspaceEngine } from "../engine/userspace/engine.ts";
import type { HeadStart } from "../engine/userspace/head-start.ts";
import { type Outliving, outlivesItsEnd } from "../engine/userspace/outliving.ts";
import { missingCapabilities } from "./capabilities.ts";
import { type Admission, type EngineChoice, GRACE_DEFAULT, type HookChoice } from "./options.ts";

export interface EngineOptions {
  readonly choice: EngineChoice;
  readonly admission: Admission;
  readonly hook: HookChoice;
  readonly connectionsMax: number;
  readonly outliving: Outliving;
  readonly headStart: HeadStart;
  readonly events: DoorEvents;
}

/** Throws the host's reason when it cannot run the engine that was asked for. */
export async function openEngine(options: EngineOptions): Promise<UserspaceEngine> {
  const { choice, admission, hook, headStart, ...common } = options;
  const { connectionsMax, events } = common;
  if (choice === "userspace") {
    const claim = await endPrograms(common);
    return await UserspaceEngine.open({ ...common, headStart, claim });
  }
  let offload: KernelOffload | undefined;
  try {
    mustHandOver();
    const kernel = await import("../engine/kernel/kernel-offload.ts");
    // Before what another daemon has at work is touched.
    const claim = await claimNamespace();
    try {
      offload = new kernel.KernelOffload({
        connectionsMax,
        opensOnWire: admission === "wire",
        atXdp: hook === "xdp",
        outliving: kernelOutliving(options),
        warn: (message, error) => events.warn(message, error),
        inform: (message) => events.inform(message),
      });
    } catch (error) {
      claim[Symbol.dispose]();
      throw error;
    }
    if (admission === "wire") {
      void offload.stand("").then((stand) => events.inform(`the kernel engine stands ${stand}`));
    }
    return await UserspaceEngine.open({ ...common, headStart, offload, claim });
  } catch (error) {
    const isRefusal = error instanceof BpfError || error instanceof SystemCallError;
    if (choice === "kernel" || !isRefusal) throw error;
    events.inform(`the userspace engine runs, because the kernel engine cannot: ${error.message}`);
  }
  // The head start is gone with what was tried; what a daemon before left at work is not.
  return await UserspaceEngine.open({ ...common, claim: await endPrograms(common) });
}

function kernelOutliving({ outliving, events }: EngineOptions): KernelOutliving {
  const { file, graceSeconds, adopts } = outliving;
  const stays = outlivesItsEnd(outliving);
  const inform = (message: string): void => events.inform(message);
  const patienceSeconds = Math.max(graceSeconds, GRACE_DEFAULT);
  return { folder: dirname(file), adopts, stays, patienceSeconds, inform };
}

/** What a kernel engine before left at work: another engine does not know what it does. Resolves to the claim it took. */
async function endPrograms({
  outliving,
  events,
}: Pick<EngineOptions, "outliving" | "events">): Promise<Disposable | undefined> {
  const folder = dirname(outliving.file);
  // Nearly always there are none, and nothing of the kernel engine is loaded.
  if (![join(folder, "bpf"), "/sys/fs/bpf"].some((place) => existsSync(join(place, "sluice")))) {
    return undefined;
  }
  const { leavePinPlace, pinPlace } = await import("../engine/kernel/pin-place.ts");
  const { Pins } = await import("../engine/kernel/pins.ts");
  const place = pinPlace(folder);
  const pins = place === undefined ? undefined : new Pins(place);
  if (pins?.exist !== true) return undefined;
  const claim = await claimNamespace();
  const what = "the programs that a daemon before left in the kernel";
  try {
    pins.remove();
    leavePinPlace(folder);
    events.inform(`${what} are ended (${pins.folder})`);
  } catch (error) {
    events.warn(`${what} cannot be ended, and go on beside this engine (${pins.folder})`, error);
  }
  return claim;
}

/** libbpf is given no work that the kernel refuses for want of a capability: some of its versions end the process then. */
function mustHandOver(): void {
  const missing = missingCapabilities("kernel");
  if (missing.length === 0) return;
  throw new BpfError(
    `Cannot load the BPF programs: this process lacks ${missing.join(" and ")}: run it as root, or use the userspace engine`,
  );
}
