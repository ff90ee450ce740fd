/** What an engine is opened with, and what is opened before it, in an order that leaves others and the host as they are. */
import type { FlowOffload } from "../flow-offload.ts";
import { HostNetwork, type HostNetworkOptions } from "../host/host-network.ts";
import { claimNamespace } from "../host/namespace-claim.ts";
import type { ConnectionFile } from "./connection-file.ts";
import { Door, type DoorEvents } from "./door/door.ts";
import type { Stand } from "./door/door-words.ts";
import type { HeadStart } from "./head-start.ts";
import { graceOf, type Outliving, openFile } from "./outliving.ts";

export const CONNECTIONS_MAX = 1 << 20;

export interface UserspaceEngineOptions {
  /** What the engine cannot tell its caller otherwise, because no call is under way. */
  readonly events: DoorEvents;
  /** Where packets are taken; undefined: where the kernel's IPVS takes them if this kernel can. */
  readonly stand?: Stand;
  readonly connectionsMax?: number;
  /** What was begun before this code was loaded: taken, when it gets that far. */
  readonly headStart?: HeadStart | undefined;
  /** Has connections outlive the process; undefined: nothing does. */
  readonly outliving?: Outliving | undefined;
  /** What forwards known flows instead of the director. The engine's from then on, and disposed of with it. */
  readonly offload?: FlowOffload | undefined;
  /** That this network namespace is ours, where it was claimed before; the engine's from then on. */
  readonly claim?: Disposable | undefined;
}

/** What is opened before the engine, and closed by it. */
export interface EngineParts {
  readonly network: HostNetwork;
  readonly door: Door;
  readonly claim: Disposable;
  readonly file: ConnectionFile | undefined;
}

/** In the current network namespace; the ring has its memory when this resolves. Rejects when the host refuses. */
export async function openParts(
  options: UserspaceEngineOptions,
  stack: AsyncDisposableStack,
  news: Omit<HostNetworkOptions, "onError">,
): Promise<EngineParts> {
  const { events, stand, headStart, outliving, offload } = options;
  const { connectionsMax = CONNECTIONS_MAX } = options;
  // First of all, so that a second engine does not take the first one's lane.
  const claim = stack.use(options.claim ?? (await claimNamespace()));
  const file = outliving && (await openFile(outliving, connectionsMax, events));
  if (file !== undefined) stack.use(file);
  // Without tables that keep the host away nothing may go on.
  if (file === undefined) offload?.endWithProcess();
  const grace = outliving && file && graceOf(outliving, file, offload?.pins);
  const adoptsLane = offload?.flows.isInherited === true;
  // nft makes its tables while the host is asked.
  const door = stack.use(await Door.begin(events, { stand, grace, headStart, adoptsLane }));
  const network = stack.use(
    await HostNetwork.open({
      ...news,
      onError: (error) => events.warn("cannot follow the host's network, trying again", error),
    }),
  );
  await door.isPrepared();
  return { network, door, claim, file };
}
