/** What a laboratory's steps work with where its hosts are simulated. */
import { Address } from "../../net/address.ts";
import {
  enhancedPacket,
  interfaceDescription,
  LINK_TYPE,
  sectionHeader,
} from "../../net/pcapng.ts";
import type { SimulationEvent } from "../../simnet/event.ts";
import type { Simulation } from "../../simnet/simulation.ts";
import type { LabEvent } from "../event.ts";
import { decapsulatorsEnd, GUE_PORT } from "../network/decapsulators.ts";
import type { Equipment } from "../network/equipment.ts";
import type { CommandResult, RunLimits } from "../network/host.ts";
import {
  addressOn,
  HOST_NAMES,
  type HostName,
  type HostPlan,
  type LabPlan,
} from "../network/plan.ts";
import { summarize, type Wire, type WireFrame } from "../network/taps.ts";
import type { RunOptions } from "../options.ts";
import { addTunnelEnd } from "../simulated/tunnel-end.ts";

const INNER = "sluice-inner";
const LOOSE = "2";
/** RFC 7600. */
const DUMMY = { address: Address.parse("192.0.0.8")!, prefixLength: 32, scope: "host" } as const;
/** The captures' time begins with the simulation's. */
const BEGIN_US = BigInt(Date.UTC(2000, 0, 1)) * 1_000n;

/** Hosts as a stage knows them. */
export function hostsOf(simulation: Simulation) {
  const runOn = (host: HostName) => ({
    run: async (line: string, { timeoutMs }: RunLimits = {}): Promise<CommandResult> => {
      const { status, output, stdout } = await simulation.run(host, line, timeoutMs);
      return { code: status, output, stdout };
    },
  });
  return Object.fromEntries(HOST_NAMES.map((name) => [name, runOn(name)])) as Readonly<
    Record<HostName, ReturnType<typeof runOn>>
  >;
}

export function simulatedEquipment(
  simulation: Simulation,
  plan: LabPlan,
  options: RunOptions,
  emit: (event: LabEvent) => void,
): Equipment {
  const ends = new Map<string, () => void>();
  const start: Equipment["decapsulators"]["start"] = async ({ host }) => {
    const own = simulation.host(host);
    ends.set(host, addTunnelEnd(own, INNER, GUE_PORT));
    own.settings.write(`net.ipv4.conf.${INNER}.rp_filter`, LOOSE);
    // Without any address even a loose reverse path filter drops everything: the decapsulator gives it the same.
    own.addresses.add(own.interface(INNER)!, DUMMY);
    const from = addressOn(plan, "node01", "lan");
    const words = ["decapsulate", "--on", "eth0", "--gue-port", `${GUE_PORT}`, "--from", from];
    emit({ kind: "command", host, command: `sluice ${words.join(" ")} &`, output: "" });
  };
  const stop: Equipment["decapsulators"]["stop"] = async ({ host }) => {
    const end = ends.get(host);
    if (end === undefined) return null;
    ends.delete(host);
    end();
    emit({ kind: "command", host, command: "kill %2", output: "" });
    return 0;
  };
  return {
    plan,
    options,
    wire: wireOf(simulation),
    startWebServer: async ({ host }) => {
      const command = "httpd -k start";
      const { output } = await simulation.run(host, command);
      emit({ kind: "command", host, command, output });
    },
    webServerPid: () => 0,
    decapsulators: { start, stop, endings: () => decapsulatorsEnd(plan, stop) },
    // With the simulated kernel's module, so to speak: ipvsadm finds it there.
    startDirector: async () => undefined,
    directorPid: () => 0,
    stopDirector: async () => {
      simulation.host("node01").director = undefined;
      return 0;
    },
  };
}

/** What went by each host's cards. */
function wireOf(simulation: Simulation): Wire {
  const frames = new Map<string, WireFrame[]>();
  simulation.journal.watch((event) => {
    if (!isOnWire(event)) return;
    const frame = summarize(event.bytes);
    const known = frames.get(event.host) ?? [];
    frames.set(event.host, known);
    if (frame !== undefined) known.push(frame);
  });
  return {
    frames: async (host) => frames.get(host) ?? [],
    lost: () => 0,
    forget: () => frames.clear(),
  };
}

type FrameEvent = Extract<SimulationEvent, { kind: "frame-sent" | "frame-received" }>;

function isOnWire(event: SimulationEvent): event is FrameEvent {
  const isFrame = event.kind === "frame-sent" || event.kind === "frame-received";
  return isFrame && event.interface.startsWith("eth");
}

/** A host's frames as a capture, with what became of those that were dropped. */
export function captureOf(simulation: Simulation, { name, cards }: HostPlan): Uint8Array {
  const fates = new Map<number, string>();
  for (const event of simulation.events) {
    if (event.kind === "dropped" && event.host === name && event.frame !== undefined) {
      fates.set(event.frame, `dropped: ${event.reason}`);
    }
  }
  const blocks = [
    sectionHeader({ application: "sluice lab", comment: `${name}'s wires` }),
    ...cards.map((card) =>
      interfaceDescription({
        linkType: LINK_TYPE.ethernet,
        name: card.name,
        resolution: "microseconds",
      }),
    ),
  ];
  for (const event of simulation.events) {
    if (event.host !== name || !isOnWire(event)) continue;
    const isSent = event.kind === "frame-sent";
    blocks.push(
      enhancedPacket({
        interface: cards.findIndex((card) => card.name === event.interface),
        timestamp: BEGIN_US + BigInt(Math.round(event.timeMs * 1_000)),
        data: event.bytes,
        direction: isSent ? "out" : "in",
        comment: isSent ? undefined : fates.get(event.frame),
      }),
    );
  }
  return Buffer.concat(blocks);
}
