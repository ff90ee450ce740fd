/** A whole screen, as lines. */
import { lasting } from "../status/lasting.ts";
import { brief, count } from "./figures.ts";
import { HELP_LINES } from "./help.ts";
import { type Line, line } from "./lines.ts";
import { opener, type Row } from "./rows.ts";
import type { Scene, TopReason } from "./scene.ts";
import { note, table } from "./table.ts";
import type { View } from "./view.ts";

/** How it is with the daemon. */
export interface Link {
  /** Why it does not answer; undefined: it does. */
  readonly trouble: string | undefined;
  /** Since when there was no answer. */
  readonly sinceMs: number;
  readonly nowMs: number;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const LEAST: Size = { columns: 40, rows: 8 };
/** From here on there is room for what is known of the whole. */
const SUMMARY_FROM_ROWS = 14;
/** The detail and the keys. */
const FOOT_ROWS = 2;

/** Lines of the list that are seen at once. */
export function listHeight(size: Size): number {
  const head = size.rows >= SUMMARY_FROM_ROWS ? 5 : 1;
  // The table's own head.
  return Math.max(1, size.rows - head - FOOT_ROWS - 1);
}

/** Lines that the list has. */
export function listLength(scene: Scene, rows: readonly Row[], view: View, width: number): number {
  return view.tab === "services" ? rows.length : textsOf(scene, view, width).length;
}

export interface PageParts {
  readonly scene: Scene;
  readonly rows: readonly Row[];
  readonly view: View;
  readonly link: Link;
  readonly size: Size;
}

/** As many lines as the terminal has, at most. */
export function page(parts: PageParts): readonly Line[] {
  const { scene, rows, view, size } = parts;
  if (size.columns < LEAST.columns || size.rows < LEAST.rows) {
    return [line(`Too small: ${LEAST.columns}x${LEAST.rows} at least`, "bad")];
  }
  if (view.isHelp) return HELP_LINES.slice(0, size.rows);
  const isRoomy = size.rows >= SUMMARY_FROM_ROWS;
  const height = listHeight(size);
  const list =
    view.tab === "services"
      ? table({
          rows: rows.slice(view.offset, view.offset + height),
          view,
          width: size.columns,
          isOpen: opener(scene, view),
          atMs: scene.atMs,
        })
      : [
          heading(view),
          ...textsOf(scene, view, size.columns).slice(view.offset, view.offset + height),
        ];
  const filled = [...list, ...Array<Line>(Math.max(0, height + 1 - list.length)).fill(line(""))];
  return [
    first(parts),
    ...(isRoomy ? summary(scene) : []),
    ...filled,
    detail(parts),
    foot(view, rows.length),
  ];
}

/** All of it, for who does not look on. */
export function wholePage(scene: Scene, rows: readonly Row[], view: View, columns: number): Line[] {
  const link = { trouble: undefined, sinceMs: scene.atMs, nowMs: scene.atMs };
  const size = { columns, rows: SUMMARY_FROM_ROWS };
  const isOpen = (): boolean => true;
  return [
    first({ scene, rows, view, link, size }),
    ...summary(scene),
    ...table({ rows, view, width: columns, isOpen, atMs: scene.atMs }),
  ];
}

function first({ scene, link }: PageParts): Line {
  if (link.trouble !== undefined) {
    const silent = Math.round((link.nowMs - link.sinceMs) / 1_000);
    const text = `${link.trouble} (for ${silent} s; asking again). Figures of ${timeOf(scene.atMs)}.`;
    return line(text, "banner");
  }
  const { version, engine, pid, generation, startedAt } = scene;
  const lived = lasting(startedAt, new Date(scene.atMs));
  return line(
    `${timeOf(scene.atMs)}  sluice ${version} (${engine}, process ${pid}) for ${lived}, generation ${generation}`,
    "strong",
  );
}

function summary(scene: Scene): Line[] {
  const { totals, services, connectionsMax } = scene;
  const servers = services.flatMap((service) => service.servers);
  const active = servers.reduce((sum, each) => sum + each.active, 0);
  const inactive = servers.reduce((sum, each) => sum + each.inactive, 0);
  const ways = [
    `${count(active)} active, ${count(inactive)} inactive of ${brief(connectionsMax)}, ${brief(totals.connectionsPerSecond)}/s`,
    `in ${flow(totals.inPacketsPerSecond, totals.inBytesPerSecond)}`,
    `out ${flow(totals.outPacketsPerSecond, totals.outBytesPerSecond)}`,
  ];
  return [
    line(
      `${plural(services.length, "service")}, ${plural(servers.length, "server")}${standings(scene)}`,
    ),
    line(ways.join("; ")),
    lost(scene.reasons),
    wrong(scene),
  ];
}

function standings({ services }: Scene): string {
  const counts = new Map<string, number>();
  for (const { servers } of services) {
    for (const { standing } of servers) counts.set(standing, (counts.get(standing) ?? 0) + 1);
  }
  if (counts.size === 0) return "";
  return `: ${[...counts].map(([name, number]) => `${number} ${name}`).join(", ")}`;
}

/** What somebody would miss, and not what is left to the host. */
const LOST =
  /^(drop-(?!path-mtu)|ring-|transmit-|neighbour-|link-gone|lane-|notice-|too-many|host-too|bug-|kernel-drop)/;
const LOST_TOLD = 3;

function lost(reasons: readonly TopReason[]): Line {
  const all = reasons.filter(({ name, perSecond }) => LOST.test(name) && (perSecond ?? 0) > 0);
  if (all.length === 0) return line("No packet is lost.", "faint");
  const told = all
    .slice(0, LOST_TOLD)
    .map(({ name, perSecond }) => `${name} ${brief(perSecond!)}/s`);
  return line(`Lost: ${told.join(", ")}`, "warning");
}

function wrong({ findings, findingsOmitted }: Scene): Line {
  const [finding] = findings;
  if (finding === undefined) return line("Nothing is known to be wrong.", "faint");
  const more = findings.length + findingsOmitted - 1;
  const others = more === 0 ? "" : ` (and ${more} more: 3)`;
  return line(`Wrong${others}: ${finding.about}: ${finding.says}`, "bad");
}

function heading(view: View): Line {
  const text =
    view.tab === "reasons" ? "       COUNT       /S  REASON" : " WHAT IS WRONG, AND WHAT TO DO";
  return line(text, "faint");
}

/** The list where it is none of services. */
function textsOf(scene: Scene, view: View, width: number): Line[] {
  if (view.tab === "reasons") {
    return scene.reasons.map(({ name, count: number, perSecond, means }) => ({
      pieces: [
        { text: String(number), width: 12, isRight: true },
        { text: perSecond === null ? "" : brief(perSecond), width: 9, isRight: true },
        { text: "  ", width: 2 },
        { text: name, width: 26, style: LOST.test(name) ? "warning" : "plain" },
        { text: means, style: "faint" },
      ],
    }));
  }
  if (scene.findings.length === 0) return [line(" Nothing is known to be wrong.")];
  const now = new Date(scene.atMs);
  const lines = scene.findings.flatMap(({ about, says, remedy, since }) => [
    line(` ${about}`, "strong"),
    ...wrapped(`${says} (for ${lasting(since, now)})`, width),
    ...wrapped(`to do: ${remedy}`, width),
  ]);
  if (scene.findingsOmitted === 0) return lines;
  return [...lines, line(` and ${scene.findingsOmitted} more`)];
}

function wrapped(text: string, width: number): Line[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 4 > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.map((each) => line(`   ${each}`));
}

function detail({ rows, view, scene }: PageParts): Line {
  if (view.message !== "") return line(view.message, "warning");
  const row = rows[view.selected.index];
  if (view.tab !== "services" || row === undefined) return line("");
  const text = note(row, scene.atMs);
  return line(`${row.id}${text === "" ? "" : `: ${text}`}`, "faint");
}

function foot(view: View, rows: number): Line {
  if (view.question !== undefined) {
    const { what, server } = view.question;
    const text =
      what === "drain"
        ? `Drain ${server.name}? y/n  No new connections; after 5 minutes at most it stays with weight 0`
        : `Undrain ${server.name}? y/n  It gets new connections again`;
    return line(text, "banner");
  }
  if (view.filterBefore !== undefined) return line(`Filter: ${view.filter}_`, "banner");
  const order = `by ${view.sort}${view.isReversed ? " reversed" : ""}`;
  const place = rows === 0 ? "nothing" : `${view.selected.index + 1}/${rows}`;
  const filter = view.filter === "" ? "" : `, only "${view.filter}"`;
  const where = view.tab === "services" ? `${place} ${order}${filter}` : `${view.tab}`;
  return {
    pieces: [
      { text: `${where}  `, width: where.length + 2, style: filter === "" ? "plain" : "warning" },
      { text: KEYS[view.tab], style: "faint" },
    ],
  };
}

const KEYS = {
  services: "q end  ? help  / filter  s sort  z fold  d drain  u undrain  1 2 3",
  reasons: "q end  ? help  1 services  3 what is wrong",
  findings: "q end  ? help  1 services  2 where packets went",
} as const;

function plural(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

function flow(packetsPerSecond: number, bytesPerSecond: number): string {
  return `${brief(packetsPerSecond)} pkt/s ${brief(bytesPerSecond)} B/s`;
}

function timeOf(atMs: number): string {
  return new Date(atMs).toTimeString().slice(0, 8);
}
