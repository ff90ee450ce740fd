/** What is kept of the kernel engine where no daemon lives: shown, and ended. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { claimNamespace } from "../host/namespace-claim.ts";
import { Netlink } from "../host/netlink/netlink.ts";
import { connectionFileIn } from "../userspace/connection-place.ts";
import { LANE_DEVICE } from "../userspace/door/door-words.ts";
import { keepersOf } from "../userspace/door/keepers.ts";
import { NFT_PATH } from "../userspace/door/nft.ts";
import { removePair } from "../userspace/lane/lane-device.ts";
import { leavePinPlace, pinPlace } from "./pin-place.ts";
import { Pins } from "./pins.ts";

export interface KeptEngine {
  readonly folder: string;
  /** A hash of the object's bytes; undefined when nobody can tell. */
  readonly object: string | undefined;
  readonly connectionsMax: number | undefined;
  /** Where frames come in: those of which one is at XDP are kept as at XDP. */
  readonly hook: "tcx" | "clsact" | "xdp";
  readonly interfaces: readonly { readonly name: string; readonly direction: string }[];
}

/** `folder`: of the socket. Undefined where nothing is kept for this network namespace. */
export function readKept(folder: string): KeptEngine | undefined {
  const pins = pinsIn(folder);
  if (pins === undefined) return undefined;
  const identity = pins.lookAtIdentity();
  const names = pins.linkNames();
  const atTc = pins.hasGate ? "clsact" : "tcx";
  return {
    folder: pins.folder,
    object: identity?.object,
    connectionsMax: identity?.connectionsMax,
    hook: names.some((name) => name.includes("-xdp")) ? "xdp" : atTc,
    interfaces: names.map((name) => {
      const [index = "", direction = ""] = name.split("-");
      return { name: interfaceName(index), direction };
    }),
  };
}

/** How long the kernel may take to remove what nobody keeps any more. */
const REMAINS_MS = 5_000;
const RETRY_MS = 20;

/**
 * Ends what is kept, and all that leads packets to it. False when there was nothing. Rejects with a NamespaceTakenError where a
 * daemon lives.
 */
export async function detach(folder: string): Promise<boolean> {
  using _claim = await claimNamespace();
  const pins = pinsIn(folder);
  const file = connectionFileIn(folder);
  pins?.remove();
  leavePinPlace(folder);
  const keepers = keepersOf(file);
  const hadKeepers = keepers.pids().length > 0;
  keepers.endEarlier();
  rmSync(file, { force: true });
  using netlink = new Netlink();
  removePair(netlink, LANE_DEVICE);
  const until = performance.now() + REMAINS_MS;
  while (hasTables() && performance.now() < until) await sleep(RETRY_MS);
  return pins !== undefined || hadKeepers;
}

/** Those that keepers kept go with nft, which the kernel sees to in its own time. */
function hasTables(): boolean {
  const env = { ...process.env, PATH: NFT_PATH };
  const { stdout } = spawnSync("nft", ["list", "tables"], { env, encoding: "utf8" });
  return /sluice(_\d+|6.*)?$/m.test(stdout ?? "");
}

function pinsIn(folder: string): Pins | undefined {
  const place = pinPlace(folder);
  const pins = place === undefined ? undefined : new Pins(place);
  return pins?.exist === true ? pins : undefined;
}

function interfaceName(index: string): string {
  const folder = "/sys/class/net";
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const found = names.find((name) => readIndex(`${folder}/${name}/ifindex`) === index);
  return found ?? `interface ${index}`;
}

function readIndex(path: string): string {
  try {
    return readFileSync(path, "latin1").trim();
  } catch {
    return "";
  }
}
