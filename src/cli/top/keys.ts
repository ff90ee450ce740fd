/** What a key makes of how one looks at it. Pure. */
import { opener, type Row } from "./rows.ts";
import type { Scene } from "./scene.ts";
import { SORT_KEYS, type SortKey, TABS, type Tab, type View, type Wish } from "./view.ts";

/** What a terminal tells of a key. */
export type KeyName =
  | "up"
  | "down"
  | "left"
  | "right"
  | "pageUp"
  | "pageDown"
  | "home"
  | "end"
  | "return"
  | "escape"
  | "tab"
  | "backspace"
  | "interrupt";
export type Key = { readonly name: KeyName } | { readonly char: string };

export interface Around {
  readonly scene: Scene;
  readonly rows: readonly Row[];
  /** Lines that the list has, in this tab. */
  readonly length: number;
  /** How many of them are seen at once. */
  readonly height: number;
}

export interface Pressed {
  readonly view: View;
  readonly wish?: Wish;
  readonly isEnd?: boolean;
}

export function press(view: View, key: Key, around: Around): Pressed {
  if ("name" in key && key.name === "interrupt") return { view, isEnd: true };
  if (view.question !== undefined) return answer(view, view.question, key);
  if (view.filterBefore !== undefined) return { view: writeFilter(view, view.filterBefore, key) };
  if (view.isHelp) return leaveHelp(view, key);
  const now = { ...view, message: "" };
  return "name" in key ? { view: byName(now, key.name, around) } : byChar(now, key.char, around);
}

/** The selected row is one of those that there are, and is seen. */
export function settle(view: View, { rows, length, height }: Omit<Around, "scene">): View {
  if (view.tab !== "services") {
    const offset = clamp(view.offset, 0, Math.max(0, length - height));
    return offset === view.offset ? view : { ...view, offset };
  }
  const { id, index } = view.selected;
  const found = id === undefined ? -1 : rows.findIndex((row) => row.id === id);
  const place = found < 0 ? clamp(index, 0, Math.max(0, rows.length - 1)) : found;
  const last = Math.max(0, rows.length - height);
  const offset = clamp(clamp(view.offset, place - height + 1, place), 0, last);
  return { ...view, selected: { id: rows[place]?.id, index: place }, offset };
}

function answer(view: View, wish: Wish, key: Key): Pressed {
  const rest = { ...view, question: undefined };
  if ("char" in key && /^[yY]$/.test(key.char)) return { view: rest, wish };
  return { view: { ...rest, message: "Nothing was changed." } };
}

function writeFilter(view: View, before: string, key: Key): View {
  if ("char" in key) return { ...view, filter: view.filter + key.char };
  switch (key.name) {
    case "backspace":
      return { ...view, filter: view.filter.replace(/.$/su, "") };
    case "return":
      return { ...view, filterBefore: undefined };
    case "escape":
      return { ...view, filter: before, filterBefore: undefined };
    default:
      return view;
  }
}

function leaveHelp(view: View, key: Key): Pressed {
  if ("char" in key && key.char === "q") return { view, isEnd: true };
  return { view: { ...view, isHelp: false } };
}

function byName(view: View, name: KeyName, around: Around): View {
  switch (name) {
    case "up":
      return move(view, -1, around);
    case "down":
      return move(view, 1, around);
    case "pageUp":
      return move(view, -around.height, around);
    case "pageDown":
      return move(view, around.height, around);
    case "home":
      return move(view, -around.length, around);
    case "end":
      return move(view, around.length, around);
    case "tab":
      return show(view, TABS[(TABS.indexOf(view.tab) + 1) % TABS.length]!);
    case "left":
      return turn(view, around, false);
    case "right":
      return turn(view, around, true);
    case "return":
      return turn(view, around, undefined);
    case "escape":
      return { ...view, filter: "" };
    case "backspace":
    case "interrupt":
      return view;
  }
}

function byChar(view: View, char: string, around: Around): Pressed {
  switch (char) {
    case "q":
      return { view, isEnd: true };
    case "?":
    case "h":
      return { view: { ...view, isHelp: true } };
    case "j":
      return { view: move(view, 1, around) };
    case "k":
      return { view: move(view, -1, around) };
    case "g":
      return { view: move(view, -around.length, around) };
    case "G":
      return { view: move(view, around.length, around) };
    case "1":
    case "2":
    case "3":
      return { view: show(view, TABS[Number(char) - 1]!) };
    default:
      return view.tab === "services" ? inServices(view, char, around) : { view };
  }
}

function inServices(view: View, char: string, around: Around): Pressed {
  switch (char) {
    case "/":
      return { view: { ...view, filterBefore: view.filter } };
    case "s":
      return { view: { ...view, sort: next(view.sort, 1), isReversed: false } };
    case "S":
      return { view: { ...view, sort: next(view.sort, -1), isReversed: false } };
    case "r":
      return { view: { ...view, isReversed: !view.isReversed } };
    case "l":
      return { view: { ...view, isFlat: !view.isFlat } };
    case " ":
      return { view: turn(view, around, undefined) };
    case "z":
      return { view: turnAll(view, around) };
    case "d":
      return { view: ask(view, around, "drain") };
    case "u":
      return { view: ask(view, around, "undrain") };
    default:
      return { view };
  }
}

function next(sort: SortKey, by: 1 | -1): SortKey {
  return SORT_KEYS.at((SORT_KEYS.indexOf(sort) + by) % SORT_KEYS.length)!;
}

function show(view: View, tab: Tab): View {
  return tab === view.tab ? view : { ...view, tab, offset: 0 };
}

function move(view: View, by: number, { rows, length, height }: Around): View {
  if (view.tab !== "services") {
    const offset = clamp(view.offset + by, 0, Math.max(0, length - height));
    return { ...view, offset };
  }
  const index = clamp(view.selected.index + by, 0, Math.max(0, rows.length - 1));
  return { ...view, selected: { id: rows[index]?.id, index } };
}

/** The selected service, or that of the selected server, shows its servers, or not; undefined: the other way round. */
function turn(view: View, { scene, rows }: Around, isOpen: boolean | undefined): View {
  const row = rows[view.selected.index];
  if (row === undefined || view.isFlat || view.tab !== "services") return view;
  const service = row.kind === "service" ? row.id : row.service;
  const was = opener(scene, view)(service);
  if (was === (isOpen ?? !was)) return view;
  const turned = new Set(view.folds.turned);
  if (!turned.delete(service)) turned.add(service);
  return {
    ...view,
    folds: { ...view.folds, turned },
    selected: { ...view.selected, id: service },
  };
}

function turnAll(view: View, { scene }: Around): View {
  const isAnyOpen = scene.services.some(({ id }) => opener(scene, view)(id));
  return { ...view, folds: { openAll: !isAnyOpen, turned: new Set() } };
}

function ask(view: View, { rows }: Around, what: Wish["what"]): View {
  const row = rows[view.selected.index];
  if (row?.kind !== "server") return { ...view, message: `To ${what}, choose a server first.` };
  const isDrained = row.standing === "draining" || row.standing === "drained";
  if (what === "drain" && isDrained) return { ...view, message: `${row.name} is drained already.` };
  if (what === "undrain" && !isDrained && row.standing !== "down") {
    return { ...view, message: `${row.name} is not drained.` };
  }
  return { ...view, question: { what, server: row } };
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}
