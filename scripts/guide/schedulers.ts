/**
 * A scheduler at work: connections in the order in which they come, each a bar in the row of the server that got it, as long as
 * it is open.
 */
import type { SchedulerName } from "../../src/ipvs/schedulers/index.ts";
import { DirectorRun, FLAGS, type Segment } from "./director-run.ts";
import { Drawing } from "./drawing.ts";

/** A connection: how long it stays open, and by which letter it is told from others. */
interface Arrival {
  readonly seconds: number;
  /** Of the client's address, or of the destination's with `by: "destination"`. */
  readonly letter?: string;
}

export interface Story {
  readonly scheduler: SchedulerName;
  readonly weights: readonly number[];
  /** What a letter stands for. Without letters connections are numbered. */
  readonly by?: "client" | "destination";
  readonly persistenceSeconds?: number;
  readonly arrivals: readonly Arrival[];
}

const VIP = "192.168.150.100";
const OWN = "192.168.150.11";
const SERVER = (index: number): string => `192.168.150.${12 + index}`;
const MARK = 1;

interface Bar {
  readonly label: string;
  readonly begin: number;
  readonly end: number;
}

export interface Played {
  /** The bars of each server, and of nobody: what was refused. */
  readonly rows: readonly (readonly Bar[])[];
  readonly refused: readonly Bar[];
}

export function play(story: Story): Played {
  const run = new DirectorRun({
    vip: VIP,
    own: OWN,
    scheduler: story.scheduler,
    servers: story.weights.map((weight, index) => ({ address: SERVER(index), weight })),
    ...(story.by === "destination" ? { mark: MARK } : {}),
    ...(story.persistenceSeconds === undefined
      ? {}
      : { persistenceSeconds: story.persistenceSeconds }),
  });
  const rows: Bar[][] = story.weights.map(() => []);
  const refused: Bar[] = [];
  const open: { readonly end: number; readonly segment: Segment }[] = [];
  story.arrivals.forEach(({ seconds, letter }, index) => {
    for (const { segment } of open.filter(({ end }) => end === index)) {
      run.send({ ...segment, flags: FLAGS.finAck });
    }
    const code = letter === undefined ? 0 : letter.charCodeAt(0) - 64;
    const segment: Segment = {
      from: story.by === "client" ? `192.168.150.${30 + code}` : "192.168.150.1",
      fromPort: 40_000 + index,
      to: story.by === "destination" ? `198.51.100.${code}` : VIP,
      toPort: 80,
      flags: FLAGS.syn,
    };
    const bar = { label: letter ?? `${index + 1}`, begin: index, end: index + seconds };
    const forwarded = run.send(segment);
    if (forwarded === undefined) {
      refused.push({ ...bar, end: index + 1 });
    } else {
      run.send({ ...segment, flags: FLAGS.ack });
      rows[story.weights.findIndex((_, server) => SERVER(server) === forwarded.nextHop)]!.push(bar);
      open.push({ end: bar.end, segment });
    }
    run.wait(1);
  });
  return { rows, refused };
}

const WIDTH = 760;
const LEFT = 168;
const RIGHT = 724;
const TOP = 52;
const BAR = 22;
const GAP = 6;
const RADIUS = 11;

export function drawStory(story: Story): string {
  const { rows, refused } = play(story);
  const lanes = rows.map((bars) => stack(bars));
  const refusedLanes = refused.length === 0 ? [] : [stack(refused)];
  const heights = [...lanes, ...refusedLanes].map(
    (lane) => Math.max(1, lane.length) * (BAR + GAP) + 14,
  );
  const height = TOP + heights.reduce((sum, each) => sum + each, 0);
  const drawing = new Drawing(`The scheduler ${story.scheduler}`, WIDTH, height);
  const step = (RIGHT - LEFT) / story.arrivals.length;
  const x = (time: number): number => Math.round(LEFT + time * step);

  const options = story.persistenceSeconds === undefined ? "" : ` -p ${story.persistenceSeconds}`;
  drawing.text(20, 32, `-s ${story.scheduler}${options}`, { size: 15, isBold: true });
  drawing.arrow(
    [
      [LEFT, 28],
      [RIGHT, 28],
    ],
    "faint",
  );
  let y = TOP;
  [...lanes, ...refusedLanes].forEach((lane, index) => {
    drawing.line(20, y - 4, WIDTH - 20, y - 4);
    const isRefused = index === lanes.length;
    const middle = y + (heights[index]! - 14) / 2 + 4;
    if (isRefused) drawing.text(20, middle, "refused", { meaning: "dropped" });
    else {
      drawing.text(20, middle, `.${12 + index}`, { meaning: "server", isBold: true });
      drawing.text(58, middle, `weight ${story.weights[index]}`, { meaning: "faint" });
    }
    lane.forEach((bars, level) => {
      const top = y + level * (BAR + GAP) + 3;
      for (const { label, begin, end } of bars) {
        const right = Math.min(x(end) - 3, WIDTH - 20);
        const meaning = isRefused ? "dropped" : "server";
        drawing.bar(x(begin), top, Math.max(right - x(begin), 2 * RADIUS), BAR, meaning);
        drawing.disc(x(begin) + RADIUS, top + RADIUS, RADIUS, meaning);
        drawing.text(x(begin) + RADIUS, top + RADIUS + 4.5, label, {
          anchor: "middle",
          size: 12,
          isBold: true,
          isInverse: true,
        });
      }
    });
    y += heights[index]!;
  });
  return drawing.toString();
}

/** Bars that are open at the same time lie one below the other. */
function stack(bars: readonly Bar[]): Bar[][] {
  const levels: Bar[][] = [];
  for (const bar of bars) {
    const free = levels.find((level) => level.at(-1)!.end <= bar.begin);
    if (free === undefined) levels.push([bar]);
    else free.push(bar);
  }
  return levels;
}
