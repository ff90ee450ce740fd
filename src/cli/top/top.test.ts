/** What is listed, what keys make of it, and how it looks on terminals of any size. */
import { expect, test } from "vitest";
import { type Key, press, settle } from "./keys.ts";
import { plainText } from "./lines.ts";
import { listHeight, listLength, page } from "./page.ts";
import { rowsOf } from "./rows.ts";
import type { Scene, Standing, TopServer, TopService } from "./scene.ts";
import { BEGIN, type View } from "./view.ts";

function rates(connectionsPerSecond: number) {
  const packets = connectionsPerSecond * 10;
  return {
    connectionsPerSecond,
    inPacketsPerSecond: packets,
    outPacketsPerSecond: packets,
    inBytesPerSecond: packets * 100,
    outBytesPerSecond: packets * 1_000,
  };
}

function server(service: string, name: string, standing: Standing, perSecond = 0): TopServer {
  return {
    kind: "server",
    id: `${service} -> ${name}`,
    service,
    name,
    standing,
    weight: standing === "down" ? null : 1,
    active: perSecond,
    inactive: 0,
    rates: rates(perSecond),
    since: null,
    why: standing === "down" ? "connection refused" : "",
  };
}

function service(id: string, name: string | undefined, servers: readonly TopServer[]): TopService {
  const sum = servers.reduce((total, each) => total + each.active, 0);
  const available = servers.filter(({ weight }) => weight !== null).length;
  const scheduler = "rr";
  const carried = { active: sum, inactive: 0, rates: rates(sum) };
  return { kind: "service", id, name, scheduler, servers, available, notes: [], ...carried };
}

function scene(services: readonly TopService[]): Scene {
  return {
    atMs: 0,
    version: "0",
    engine: "userspace",
    pid: 1,
    startedAt: new Date(0).toISOString(),
    generation: 1,
    connectionsMax: 1_048_576,
    totals: rates(1),
    services,
    reasons: [
      { name: "drop-no-destination", count: 9, perSecond: 2, means: "dropped: no server" },
      { name: "pass-no-service", count: 9, perSecond: 2, means: "left to the host" },
    ],
    findings: [],
    findingsOmitted: 0,
  };
}

const WEB = "tcp:10.0.0.1:80";
const NAMES = "udp:10.0.0.1:53";
const TWO = scene([
  service(WEB, "web", [
    server(WEB, "10.0.0.10:80", "up", 3),
    server(WEB, "10.0.0.9:80", "down"),
    server(WEB, "10.0.0.11:80", "draining", 7),
  ]),
  service(NAMES, undefined, [server(NAMES, "10.0.0.9:53", "unchecked", 1)]),
]);

const SIZE = { columns: 80, rows: 24 };

/** What somebody sees who has pressed these keys: a character each, names in <>. */
function after(keys: string, of: Scene = TWO, size = SIZE) {
  const state: { view: View; isEnd: boolean; wishes: string[] } = {
    view: BEGIN,
    isEnd: false,
    wishes: [],
  };
  const around = () => {
    const rows = rowsOf(of, state.view);
    const length = listLength(of, rows, state.view, size.columns);
    return { scene: of, rows, length, height: listHeight(size) };
  };
  state.view = settle(state.view, around());
  for (const [, name, char] of keys.matchAll(/<(\w+)>|(.)/g)) {
    const key = (name === undefined ? { char } : { name }) as Key;
    const { view, isEnd = false, wish } = press(state.view, key, around());
    state.view = view;
    state.isEnd ||= isEnd;
    if (wish !== undefined) state.wishes.push(`${wish.what} ${wish.server.id}`);
    state.view = settle(state.view, around());
  }
  const link = { trouble: undefined, sinceMs: 0, nowMs: 0 };
  const { view } = state;
  const lines = page({ scene: of, rows: around().rows, view, link, size }).map(plainText);
  const listed = around().rows.map(({ id }) => id.replace(/^.* -> /, ""));
  return { ...state, lines, listed, selected: view.selected.id };
}

// biome-ignore format: a table
const LISTED: readonly [what: string, keys: string, listed: readonly string[]][] = [
  ["by name, numbers as such", "", [WEB, "10.0.0.9:80", "10.0.0.10:80", "10.0.0.11:80", NAMES, "10.0.0.9:53"]],
  ["the other way round", "r", [NAMES, "10.0.0.9:53", WEB, "10.0.0.11:80", "10.0.0.10:80", "10.0.0.9:80"]],
  ["by health, trouble first", "s", [WEB, "10.0.0.9:80", "10.0.0.11:80", "10.0.0.10:80", NAMES, "10.0.0.9:53"]],
  ["by bytes", "S", [WEB, "10.0.0.11:80", "10.0.0.10:80", "10.0.0.9:80", NAMES, "10.0.0.9:53"]],
  ["all folded", "z", [WEB, NAMES]],
  ["and unfolded again", "zz", [WEB, "10.0.0.9:80", "10.0.0.10:80", "10.0.0.11:80", NAMES, "10.0.0.9:53"]],
  ["one folded", " ", [WEB, NAMES, "10.0.0.9:53"]],
  ["one folded from a server of it", "jj<left>", [WEB, NAMES, "10.0.0.9:53"]],
  ["one unfolded of all", "z<right>", [WEB, "10.0.0.9:80", "10.0.0.10:80", "10.0.0.11:80", NAMES]],
  ["servers alone", "l", ["10.0.0.9:80", "10.0.0.10:80", "10.0.0.11:80", "10.0.0.9:53"]],
  ["by words of a service", "/web<return>", [WEB, "10.0.0.9:80", "10.0.0.10:80", "10.0.0.11:80"]],
  ["by words of a server, though folded", "z/refused<return>", [WEB, "10.0.0.9:80"]],
  ["by two words", "/.10:80 UP<return>", [WEB, "10.0.0.10:80"]],
  ["by what nothing has", "/nothing<return>", []],
  ["a filter given up", "/nothing<escape>", [WEB, "10.0.0.9:80", "10.0.0.10:80", "10.0.0.11:80", NAMES, "10.0.0.9:53"]],
  ["a filter taken off", "/webx<backspace><return><escape>", [WEB, "10.0.0.9:80", "10.0.0.10:80", "10.0.0.11:80", NAMES, "10.0.0.9:53"]],
];

test.for(LISTED)("%s", ([, keys, listed]) => {
  expect(after(keys).listed).toEqual(listed);
});

// biome-ignore format: a table
const SELECTED: readonly [keys: string, selected: string | undefined][] = [
  ["", WEB], ["jj", `${WEB} -> 10.0.0.10:80`], ["jjk", `${WEB} -> 10.0.0.9:80`], ["kk", WEB],
  ["<end>", `${NAMES} -> 10.0.0.9:53`], ["G<home>", WEB], ["<pageDown>", `${NAMES} -> 10.0.0.9:53`],
  // It stays the same row wherever that goes.
  ["jr", `${WEB} -> 10.0.0.9:80`],
  // What goes leaves the place to the next.
  ["jjj/.9:80<return>", `${WEB} -> 10.0.0.9:80`], ["/nothing<return>", undefined],
];

test.for(SELECTED)("%s selects %s", ([keys, selected]) => {
  expect(after(keys).selected).toBe(selected);
});

test("a drain asks, and happens with y alone", () => {
  expect(after("jjd").lines.at(-1)).toMatch(/^Drain 10\.0\.0\.10:80\? y\/n/);
  expect(after("jjdy").wishes).toEqual([`drain ${WEB} -> 10.0.0.10:80`]);
  for (const other of ["jjdn", "jjdq", "jjd<return>", "jjd<escape>"]) {
    expect(after(other)).toMatchObject({ wishes: [], isEnd: false });
    expect(after(other).lines.at(-2)).toBe("Nothing was changed.");
  }
  expect(after("jjjuy").wishes).toEqual([`undrain ${WEB} -> 10.0.0.11:80`]);
});

test("what cannot be drained is said", () => {
  expect(after("d").lines.at(-2)).toBe("To drain, choose a server first.");
  expect(after("jjjd").lines.at(-2)).toBe("10.0.0.11:80 is drained already.");
  expect(after("jju").lines.at(-2)).toBe("10.0.0.10:80 is not drained.");
});

test.for(["q", "<interrupt>", "?q", "/w<interrupt>", "jjd<interrupt>"])("%s ends", (keys) => {
  expect(after(keys).isEnd).toBe(true);
});

test("a filter may have any letter", () => {
  expect(after("/q d?").isEnd).toBe(false);
  expect(after("/q d?").lines.at(-1)).toBe("Filter: q d?_");
});

test("each list has its screen", () => {
  expect(after("").lines).toContain("Lost: drop-no-destination 2/s");
  expect(after("2").lines.join("\n")).toContain("pass-no-service");
  expect(after("3").lines.join("\n")).toContain("Nothing is known to be wrong.");
  expect(after("?").lines.join("\n")).toContain("Ctrl-C");
  expect(after("?x").lines).toEqual(after("").lines);
});

// biome-ignore format: a table
const SIZES: readonly [columns: number, rows: number][] = [
  [80, 24], [40, 8], [60, 14], [200, 60], [110, 30], [39, 24], [80, 7],
];

test.for(SIZES)("at %dx%d no line is too many or too long", ([columns, rows]) => {
  const id = "tcp:[2001:db8:1234:5678:9abc:def0:1234:5678]:65535";
  const many = Array.from({ length: 150 }, (_, index) =>
    server(id, `[2001:db8:1234:5678:9abc:def0:1234:${index}]:65535`, "unchecked", 123_456),
  );
  const long = scene([service(id, "a name that is rather long", many)]);
  for (const keys of ["", "<end>", "l", "2", "3", "?", "/3", "jd"]) {
    const { lines } = after(keys, long, { columns, rows });
    expect(lines.length).toBeLessThanOrEqual(rows);
  }
  // The columns behind the name stand where their heads stand, whatever the name.
  const { lines } = after("", long, { columns, rows });
  const heads = lines.findIndex((line) => line.includes("HEALTH"));
  if (columns < 80 || rows < 8) return;
  const [head, first] = [lines[heads]!, lines[heads + 1]!];
  expect(head.indexOf("HEALTH") + "HEALTH".length).toBe(
    first.lastIndexOf("150/150") + "150/150".length,
  );
});

test("ten thousand servers begin folded, and any of them is found", () => {
  const services = Array.from({ length: 100 }, (_, number) => {
    const id = `tcp:10.1.0.${number}:80`;
    const servers = Array.from({ length: 100 }, (_each, index) =>
      server(id, `10.2.${number}.${index}:80`, "up", index),
    );
    return service(id, undefined, servers);
  });
  const large = scene(services);
  expect(after("", large).listed).toHaveLength(100);
  expect(after("z", large).listed).toHaveLength(10_100);
  expect(after("/10.2.77.42:<return>", large).listed).toEqual([
    "tcp:10.1.0.77:80",
    "10.2.77.42:80",
  ]);
  expect(after("z<end>", large).lines.at(-3)).toMatch(/^> {4}10\.2\.99\.99:80 /);
  expect(after("lG", large).selected).toBe("tcp:10.1.0.99:80 -> 10.2.99.99:80");
});
