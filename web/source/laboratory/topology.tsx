/** The hosts, their wires, and the frame that is under way. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ScenarioName } from "../../../src/lab/network/plan.ts";
import type { HostSnapshot } from "../../../src/simnet/snapshot.ts";
import { dissect } from "./dissect.ts";
import { type Place, type Places, placesFor } from "./places.ts";
import type { Step } from "./steps.ts";
import { say, sayTable, toneOf } from "./words.ts";

const [BOX_WIDTH, LINE_HEIGHT, HEAD_HEIGHT] = [192, 17, 30] as const;
const ADDRESSES_MAX = 3;

export interface TopologyProps {
  readonly scenario: ScenarioName;
  readonly hosts: readonly HostSnapshot[];
  readonly step: Step | undefined;
  readonly isPlaying: boolean;
  /** Milliseconds that a frame's way takes. */
  readonly durationMs: number;
  readonly chosen: string;
  readonly choose: (host: string) => void;
}

export function Topology(props: TopologyProps): JSX.Element {
  const { scenario, hosts, step, chosen, choose } = props;
  const isNarrow = useIsNarrow();
  const places = placesFor(scenario, isNarrow);
  return (
    <svg
      class="topology"
      viewBox={`0 0 ${places.width} ${places.height}`}
      role="group"
      aria-label={say("network")}
    >
      <g class="wires">
        {places.cables.map(({ host, wire, card }) => {
          const [from, to] = [places.hosts[host]!, places.wires[wire]!];
          const isUsed = step?.kind === "frame" && usesCable(step, host, card);
          return (
            <line
              key={`${host} ${card}`}
              x1={from.x}
              y1={from.y}
              x2={to.x}
              y2={to.y}
              data-tone={isUsed ? toneOf(step.host) : undefined}
              class={isUsed ? "used" : ""}
            />
          );
        })}
      </g>
      {Object.entries(places.wires).map(([name, { x, y }]) => (
        <g key={name} class="switch" transform={`translate(${x} ${y})`}>
          <rect x={-34} y={-13} width={68} height={26} rx={4} />
          <text y={4.5}>
            {Object.keys(places.wires).length > 1
              ? say(name === "lan" ? "lan" : "outside")
              : say("switch")}
          </text>
        </g>
      ))}
      {hosts.map((host) => (
        <HostBox
          key={host.name}
          host={host}
          place={places.hosts[host.name]!}
          isChosen={host.name === chosen}
          choose={choose}
          step={step?.host === host.name ? step : undefined}
          hears={
            step?.kind === "frame" &&
            step.receivers.some((each) => each.host === host.name) &&
            !step.ignoredBy.includes(host.name)
          }
        />
      ))}
      {step?.kind === "frame" ? (
        <Frame key={step.event} {...props} step={step} places={places} />
      ) : null}
    </svg>
  );
}

function usesCable(step: Extract<Step, { kind: "frame" }>, host: string, card: string): boolean {
  if (step.host === host && step.interface === card) return true;
  return step.receivers.some((each) => each.host === host && each.interface === card);
}

interface HostBoxProps {
  readonly host: HostSnapshot;
  readonly place: Place;
  readonly isChosen: boolean;
  readonly choose: (host: string) => void;
  readonly step: Step | undefined;
  readonly hears: boolean;
}

function HostBox({ host, place, isChosen, choose, step, hears }: HostBoxProps): JSX.Element {
  const addresses = host.interfaces
    .flatMap((card) => card.addresses.map((each) => ({ ...each, card: card.name })))
    .filter(({ address }) => !/^(127\.|::1$|fe80:)/.test(address))
    .slice(0, ADDRESSES_MAX);
  const height = HEAD_HEIGHT + Math.max(1, addresses.length) * LINE_HEIGHT + 4;
  const note = noteOf(step);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the tabs beside the drawing do the same by keys
    <g
      class="host"
      data-tone={toneOf(host.name)}
      data-chosen={isChosen ? "" : undefined}
      data-hears={hears ? "" : undefined}
      transform={`translate(${place.x - BOX_WIDTH / 2} ${place.y - height / 2})`}
      onClick={() => choose(host.name)}
    >
      <rect class="box" width={BOX_WIDTH} height={height} rx={6} />
      <rect class="edge" width={BOX_WIDTH} height={4} rx={2} />
      <text x={10} y={22} class="host-name">
        {host.name}
      </text>
      <text x={BOX_WIDTH - 10} y={22} class="host-role">
        {say(roleOf(host.name))}
      </text>
      {addresses.map(({ address, prefixLength, label }, index) => (
        <text
          key={`${label} ${address}`}
          x={10}
          y={HEAD_HEIGHT + 12 + index * LINE_HEIGHT}
          class="host-address"
        >
          {label === "" ? "" : `${label} `}
          {address}/{prefixLength}
        </text>
      ))}
      {note === undefined ? null : (
        <g
          class="note"
          data-tone={note.tone}
          transform={`translate(${BOX_WIDTH / 2} ${height + 14})`}
        >
          <rect x={-BOX_WIDTH / 2} y={-11} width={BOX_WIDTH} height={22} rx={11} />
          <text y={4.5}>{note.text}</text>
        </g>
      )}
    </g>
  );
}

function roleOf(host: string): "client" | "director" | "realServer" {
  if (host === "client") return "client";
  return host === "node01" ? "director" : "realServer";
}

const NOTE_MAX = 26;

function noteOf(
  step: Step | undefined,
): { readonly text: string; readonly tone: string } | undefined {
  const short = (text: string): string =>
    text.length > NOTE_MAX ? `${text.slice(0, NOTE_MAX - 1)}…` : text;
  switch (step?.kind) {
    case "dropped":
      return { text: short(`✕ ${step.reason}`), tone: "dropped" };
    case "forwarded":
      return { text: short(step.reason), tone: "director" };
    case "table":
      return { text: short(sayTable(step.table)), tone: "none" };
    default:
      return undefined;
  }
}

interface FrameProps extends TopologyProps {
  readonly step: Extract<Step, { kind: "frame" }>;
  readonly places: Places;
}

/** Moves from its sender to the switch, and from there to whoever receives it. */
function Frame({ step, places, isPlaying, durationMs, scenario }: FrameProps): JSX.Element {
  const [part, setPart] = useState(isPlaying && !prefersStill() ? 0 : 1);
  useEffect(() => {
    if (part === 1) return;
    const began = performance.now();
    let request = requestAnimationFrame(function move(now) {
      const next = Math.min(1, (now - began) / (durationMs * 0.8));
      setPart(next);
      if (next < 1) request = requestAnimationFrame(move);
    });
    return () => cancelAnimationFrame(request);
  }, []);
  const wire =
    places.cables.find(({ host, card }) => host === step.host && card === step.interface)?.wire ??
    "lan";
  const [from, middle] = [places.hosts[step.host]!, places.wires[wire]!];
  const label = shortSummary(step);
  const heard = step.receivers.filter(({ host }) => !step.ignoredBy.includes(host));
  const ends = step.receivers.map(({ host }) => places.hosts[host]!);
  // What nobody receives ends at the switch.
  const ways = ends.length === 0 ? [middle] : ends;
  const at = (end: Place): Place =>
    part < 0.5 ? between(from, middle, part * 2) : between(middle, end, (part - 0.5) * 2 * STOP);
  const labelled = heard[0] === undefined ? ways[0]! : places.hosts[heard[0].host]!;
  const labelAt = part < 1 ? at(labelled) : between(middle, labelled, 0.5);
  const lift = liftOf(from, middle) * (1 - part) + liftOf(labelled, middle) * part;
  return (
    <g class="moving" data-tone={toneOf(step.host)} data-scenario={scenario}>
      {ways.map((end, index) => {
        const { x, y } = at(end);
        const isIgnored = step.ignoredBy.includes(step.receivers[index]?.host ?? "");
        return (
          <circle
            key={`${end.x} ${end.y}`}
            cx={x}
            cy={y}
            r={isIgnored ? 5 : 8}
            class={isIgnored ? "ignored" : ""}
          />
        );
      })}
      <g
        transform={`translate(${clampX(labelAt.x, label, places.width)} ${labelAt.y - lift})`}
        class="frame-label"
      >
        <rect x={-widthOf(label) / 2} y={-11} width={widthOf(label)} height={22} rx={4} />
        <text y={4.5}>{label}</text>
      </g>
    </g>
  );
}

/** Before the box of the one who receives it: his name stays readable. */
const STOP = 0.62;

/** Beside a host that stands level with its switch the label goes above the box. */
function liftOf(host: Place, wire: Place): number {
  return Math.abs(host.y - wire.y) < 40 ? 62 : 20;
}

function between(one: Place, other: Place, part: number): Place {
  return { x: one.x + (other.x - one.x) * part, y: one.y + (other.y - one.y) * part };
}

function widthOf(label: string): number {
  return label.length * 7.4 + 16;
}

function clampX(x: number, label: string, width: number): number {
  const half = widthOf(label) / 2 + 2;
  return Math.max(half, Math.min(width - half, x));
}

/** Whom it is about stands in the list beside. */
function shortSummary(step: Extract<Step, { kind: "frame" }>): string {
  const { summary } = dissect(step.bytes);
  return summary
    .replace(/ {2}.*$/, "")
    .replace(/; tell .*$|^in a tunnel to \S+ /, "")
    .replace(/\? tell .*$/, "?")
    .slice(0, 34);
}

function prefersStill(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

function useIsNarrow(): boolean {
  const [isNarrow, set] = useState(() => matchMedia(NARROW).matches);
  useEffect(() => {
    const query = matchMedia(NARROW);
    const follow = (): void => set(query.matches);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, []);
  return isNarrow;
}

const NARROW = "(max-width: 640px)";
