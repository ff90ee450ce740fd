/** ldirectord.cf as sections: what holds for all, and each virtual service with the indented lines that follow it. */
import { nearest } from "../../base/nearest.ts";
import type { Notes, Place } from "../told.ts";

export interface Setting {
  readonly at: Place;
  /** As it stands there. */
  readonly text: string;
  readonly value: string;
}

/** By their names; the last of each. Real servers are many. */
export type Settings = ReadonlyMap<string, Setting>;

export interface Section {
  readonly head: Setting;
  readonly isInet6: boolean;
  readonly settings: Settings;
  readonly reals: readonly Setting[];
}

export interface Sections {
  readonly global: Settings;
  readonly virtuals: readonly Section[];
}

const CARRIED = "";
const SCRIPT = "scripts that are told of changes are set up by themselves: docs/migration.md";
const ITSELF = "it is about ldirectord's own processes";
const LOGIN = "checks do not log in";

/** Why a setting is not carried; empty for those that are. */
// biome-ignore format: a table
const SETTINGS: Readonly<Record<string, string>> = {
  checktimeout:     CARRIED,
  negotiatetimeout: CARRIED,
  checkinterval:    CARRIED,
  checkcount:       CARRIED,
  failurecount:     CARRIED,
  fallback:         CARRIED,
  fallback6:        CARRIED,
  quiescent:        CARRIED,
  checktype:        CARRIED,
  service:          CARRIED,
  checkcommand:     CARRIED,
  checkport:        CARRIED,
  request:          CARRIED,
  receive:          CARRIED,
  httpmethod:       CARRIED,
  virtualhost:      CARRIED,
  scheduler:        CARRIED,
  persistent:       CARRIED,
  netmask:          CARRIED,
  protocol:         CARRIED,
  ops:              CARRIED,
  login:            LOGIN,
  passwd:           LOGIN,
  database:         LOGIN,
  secret:           LOGIN,
  servicename:      "it means nothing to ldirectord",
  comment:          "it means nothing to ldirectord",
  load:             "weights are not asked of servers: a file or exec check may say them",
  fallbackcommand:  SCRIPT,
  callback:         SCRIPT,
  maintenancedir:   "use sluice drain, or weight 0, instead of files",
  emailalert:       CARRIED,
  emailalertfreq:   CARRIED,
  emailalertfrom:   CARRIED,
  emailalertstatus: CARRIED,
  smtp:             CARRIED,
  monitorfile:      "metrics and events tell what checks find",
  logfile:          "the daemon logs to standard output, for journald",
  execute:          "import that file by itself, and include it",
  autoreload:       "sluice apply, or SIGHUP, has a file read again",
  readdquiescent:   "what is in the file is put back, or kept away: as sluice status says",
  cleanstop:        ITSELF,
  supervised:       ITSELF,
  fork:             ITSELF,
};

const KEY = /^(\w+)\s*(?:=\s*(.*))?$/s;
const HEAD = /^virtual(6)?$/;

export function readSections(file: string, text: string, notes: Notes): Sections {
  const global = new Map<string, Setting>();
  const virtuals: { -readonly [Part in keyof Section]: Section[Part] }[] = [];
  let current: { settings: Map<string, Setting>; reals: Setting[] } | undefined;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const isIndented = /^\s/.test(line);
    const words = line.replace(/#.*/, "").trim();
    const at = { file, line: index + 1 };
    const [, name = "", value = ""] = KEY.exec(words) ?? [];
    const setting = { at, text: words, value: value.trim() };
    const [isHead, six] = isIndented ? [] : (HEAD.exec(name) ?? []);
    if (isHead !== undefined) {
      current = { settings: new Map(), reals: [] };
      virtuals.push({ head: setting, isInet6: six !== undefined, ...current });
      continue;
    }
    if (!isIndented) current = undefined;
    if (/^real6?$/.test(name) && current !== undefined) current.reals.push(setting);
    else if (!Object.hasOwn(SETTINGS, name)) notes.dropped(at, words, unknown(name));
    else if (SETTINGS[name] !== CARRIED) notes.dropped(at, words, SETTINGS[name]!);
    else (current?.settings ?? global).set(name, setting);
  }
  return { global, virtuals };
}

function unknown(name: string): string {
  const meant = nearest(name, [...Object.keys(SETTINGS), "virtual", "virtual6", "real", "real6"]);
  return meant === undefined || meant === name
    ? "it belongs to no virtual service, or is no setting of ldirectord"
    : `there is no ${name}: did you mean ${meant}?`;
}
