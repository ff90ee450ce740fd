import { execFileSync } from "node:child_process";
import {
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { command } from "../../test/packets/commands.ts";
import { Names } from "../../test/packets/names.ts";
import { type DesiredState, EMPTY_STATE } from "../ipvs/desired/desired-state.ts";
import { setSysctls } from "../ipvs/desired/set-sysctl.ts";
import { DEFAULT_SYSCTLS } from "../ipvs/desired/sysctls.ts";
import { NO_VIPS, type VipPlan, withVips } from "../ipvs/desired/vip.ts";
import { Address } from "../net/address.ts";
import { readJournal } from "./journal.ts";
import { readSnapshot } from "./snapshot.ts";
import { StateFile } from "./state-file.ts";
import { StateFileError } from "./state-file-error.ts";

const names = new Names("inet");

/** The states that these commands lead through. */
function states(...commands: string[]): DesiredState[] {
  const all = [EMPTY_STATE];
  for (const text of commands) all.push(command(all.at(-1)!, text, names));
  return all;
}

const SERVICES = states(
  "-A -t V:80 -s rr",
  "-a -t V:80 -r R1 -m",
  "-A -f 7 -p 60",
  "-D -t V:80",
  "-A -t V:80 -s rr",
  "-a -f 7 -r R2 -i",
);
const LAST = SERVICES.at(-1)!;

let directory: string;
const opened: StateFile[] = [];
let path: string;
let warnings: string[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-state-"));
  path = join(directory, "state.json");
  warnings = [];
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each[Symbol.asyncDispose]()));
  await rm(directory, { recursive: true });
});

/** As a daemon of its own would. */
function open(floor?: number): StateFile {
  const file = new StateFile(path, (message) => warnings.push(message), floor);
  opened.push(file);
  return file;
}

/** Saves the states one after the other, from the first on. */
async function save(all: readonly DesiredState[], floor?: number): Promise<StateFile> {
  const file = open(floor);
  await file.load();
  for (const [index, after] of all.slice(1).entries()) await file.append(all[index]!, after);
  return file;
}

describe("the state file", () => {
  test("that never was is the empty state, and is not made", async () => {
    expect((await open().load()).services.size).toBe(0);
    expect(await readdir(directory)).toEqual([]);
  });

  test("keeps every change, in the order of the services", async () => {
    await save(SERVICES);
    const loaded = await open().load();
    expect(loaded).toEqual(LAST);
    expect([...loaded.services.keys()]).toEqual(["FWM 7", "TCP 10.9.0.100:80"]);
    expect(warnings).toEqual([]);
  });

  test("keeps knobs, those that are as by default again, too", async () => {
    const on = setSysctls(EMPTY_STATE, { sloppy_tcp: 1, conn_reuse_mode: 0 });
    const off = setSysctls(on, { sloppy_tcp: 0 });
    await save([EMPTY_STATE, on, off]);
    expect((await open().load()).sysctls).toEqual({ ...DEFAULT_SYSCTLS, conn_reuse_mode: 0 });
  });

  test("keeps VIPs, and that there are none any more", async () => {
    const plan: VipPlan = {
      address: Address.parse("192.0.2.10")!,
      prefixLength: 24,
      interfaceName: "eth0",
      label: "eth0:web",
      announcing: { count: 5, againMs: 5_000, refreshMs: 0 },
    };
    const some = { ...EMPTY_STATE, vips: withVips(NO_VIPS, [plan], false) };
    const file = await save([EMPTY_STATE, some]);
    expect((await open().load()).vips).toEqual(some.vips);
    await file.end(some);
    const { state } = await readSnapshot(await readFile(path), path);
    expect(state.vips).toEqual(some.vips);
    await save([some, EMPTY_STATE]);
    expect((await open().load()).vips.size).toBe(0);
  });

  test("holds all when the daemon has ended, and the journal nothing", async () => {
    const file = await save(SERVICES);
    await file.end(LAST);
    expect((await stat(file.journalPath)).size).toBe(0);
    const { state } = await readSnapshot(await readFile(path), path);
    expect(state).toEqual(LAST);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await readdir(directory)).toSorted()).toEqual([
      "state.json",
      "state.json.history",
      "state.json.journal",
    ]);
  });

  test("begins anew when the journal has grown, and loses nothing meanwhile", async () => {
    const long = [...SERVICES];
    for (let port = 1; port <= 100; port++) {
      long.push(command(long.at(-1)!, `-A -u V:${port} -s rr`, names));
    }
    const file = await save(long, 2_000);
    const length = (await stat(file.journalPath)).size;
    expect(await open().load()).toEqual(long.at(-1));
    await file.end(long.at(-1)!);
    expect(length).toBeLessThan(JSON.stringify([...long.at(-1)!.services]).length * 3);
    expect(await open().load()).toEqual(long.at(-1));
  });

  test("survives a crash between the new snapshot and the new journal", async () => {
    const file = await save(SERVICES);
    const journal = await readFile(file.journalPath);
    await file.end(LAST);
    await writeFile(file.journalPath, journal);
    expect(await open().load()).toEqual(LAST);
  });

  test("survives a crash that left half a file beside it", async () => {
    await save(SERVICES);
    await writeFile(`${path}.next`, '{ "format": 2, "servi');
    const file = open();
    expect(await file.load()).toEqual(LAST);
    await file.replace(LAST, LAST);
    expect(await open().load()).toEqual(LAST);
  });

  test("does not follow a symbolic link, at its own place or beside", async () => {
    const precious = join(directory, "precious");
    await writeFile(precious, "precious");
    await symlink(precious, `${path}.next`);
    await symlink(precious, `${path}.journal.next`);
    await save(SERVICES);
    expect(await readFile(precious, "utf8")).toBe("precious");
    await rm(path);
    await symlink(precious, path);
    await expect(open().load()).rejects.toThrow(
      `--state ${path} is a symbolic link, which is not followed: name the file that it leads to`,
    );
    expect(await readlink(path)).toBe(precious);
    expect(await readFile(precious, "utf8")).toBe("precious");
  });

  test.for(["", ".journal"])("that is a pipe (%s) is refused, and not waited for", async (end) => {
    if (end !== "") await save(SERVICES);
    await rm(`${path}${end}`, { force: true });
    execFileSync("mkfifo", [`${path}${end}`]);
    await expect(open().load()).rejects.toThrow(`${path}${end} is no file`);
  });

  test("of a journal that goes on from something else is refused", async () => {
    const file = await save(SERVICES);
    await file.end(LAST);
    await file.load();
    await file.append(LAST, SERVICES[1]!);
    await rm(path);
    await expect(open().load()).rejects.toThrow(
      `Cannot use the changes in ${path}.journal: it goes on from change 6, which ${path} does not reach`,
    );
  });

  test("whose journal is missing is read, with a warning", async () => {
    const file = await save(SERVICES);
    await file.end(LAST);
    await rm(file.journalPath);
    expect(await open().load()).toEqual(LAST);
    expect(warnings).toEqual([
      `There is no ${path}.journal: were there changes since ${path} was written, they are lost`,
    ]);
  });
});

describe("a file of an earlier Sluice", () => {
  const OLD = {
    format: 1,
    timeouts: { tcp: 900, tcpFin: 120, udp: 300 },
    services: [
      {
        key: { kind: "endpoint", protocol: "tcp", endpoint: { address: "10.9.0.100", port: 80 } },
        scheduler: "rr",
        schedulerFlags: [],
        onePacket: false,
        persistence: null,
        persistenceEngine: null,
        destinations: [],
      },
    ],
  };
  const markRules = [{ family: "inet", destination: "10.0.0.1/32", mark: 7 }];

  test("is read as it is, which is said, and gets its checksum with the next change", async () => {
    await writeFile(path, JSON.stringify(OLD));
    const file = open();
    const state = await file.load();
    expect(state).toEqual(SERVICES[1]);
    expect(state.sysctls).toEqual(DEFAULT_SYSCTLS);
    expect(warnings).toEqual([
      `${path} has no checksum (an earlier Sluice's, or an edited one): it is taken as it is`,
    ]);
    await file.append(state, SERVICES[2]!);
    expect(await open().load()).toEqual(SERVICES[2]);
    expect(warnings).toHaveLength(1);
  });

  test("that marked packets itself is read without its rules, with a warning where there are some", async () => {
    await writeFile(path, JSON.stringify({ ...OLD, markRules: [] }));
    expect(await open().load()).toEqual(SERVICES[1]);
    expect(warnings.join()).not.toContain("mark rules");
    await writeFile(path, JSON.stringify({ ...OLD, markRules }));
    expect(await open().load()).toEqual(SERVICES[1]);
    expect(warnings.at(-1)).toBe(
      `The mark rules in ${path} are not used any more, and go from it with the next command: write them with nft or iptables (docs/marks.md). They are ${JSON.stringify(markRules)}`,
    );
  });
});

// biome-ignore format: a table
const edits: [why: string, edit: (text: string) => string, says: string][] = [
  ["is cut short",              (text) => text.slice(0, 40),                          "JSON"],
  ["is of another format",      (text) => text.replace('"format": 2', '"format": 3'), "format: "],
  ["has a bad address",         (text) => text.replace("10.9.0.100", "10.9.0.256"),   "services[0].key.endpoint.address: expected an IPv4 or IPv6 address"],
  ["has an unknown key",        (text) => text.replace('"onePacket"', '"onePocket"'), 'services[0]: Unrecognized key: "onePocket"'],
  ["names no scheduler",        (text) => text.replace('"rr"', '"rrr"'),              "services[0]: Scheduler or persistence engine not found: TCP 10.9.0.100:80: rrr"],
  ["has an unknown knob",       (text) => text.replace('"sysctls": {}', '"sysctls": {"drop":1}'), "sysctls: No such file or directory: net.ipv4.vs.drop"],
  ["has a knob out of range",   (text) => text.replace('"sysctls": {}', '"sysctls": {"drop_entry":4}'), "sysctls: Invalid argument: net.ipv4.vs.drop_entry: 4 is not in 0 to 3"],
  ["has a mask of the other family", (text) => text.replace('"netmask":"255.255.255.255"', '"prefixLength":24'), "an IPv4 service's persistence has a netmask"],
];

test.for(edits)("a file that somebody edited and %s is refused", async ([, edit, says]) => {
  const file = await save(SERVICES.slice(0, 4));
  await file.end(SERVICES[3]!);
  const text = await readFile(path, "utf8");
  const edited = edit(text.replace(/ {2}"crc32".*\n/, ""));
  await writeFile(path, edited);
  const load = open().load();
  await expect(load).rejects.toThrow(StateFileError);
  await expect(load).rejects.toThrow(`Cannot use the saved state in ${path}: `);
  await expect(load).rejects.toThrow(says);
  expect(await readFile(path, "utf8")).toBe(edited);
});

describe("reload()", () => {
  test("finds what somebody else wrote, and not what this daemon did", async () => {
    const file = await save(SERVICES);
    expect(await file.reload()).toBeUndefined();
    await file.replace(LAST, LAST);
    expect(await file.reload()).toBeUndefined();
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace(/ {2}"crc32".*\n/, "").replace("10.1.0.22", "10.1.0.23"));
    const written = await file.reload();
    expect([...written!.services.values()][0]!.destinations[0]!.endpoint.address.toString()).toBe(
      "10.1.0.23",
    );
  });

  test("refuses a file that went away, and one that is damaged", async () => {
    const file = await save(SERVICES);
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace('"sequence": 0', '"sequence": 1'));
    await expect(file.reload()).rejects.toThrow("its checksum is");
    await rm(path);
    await expect(file.reload()).rejects.toThrow("is not there any more");
    await file.end(LAST);
    expect(await open().load()).toEqual(LAST);
  });
});

describe("every byte", () => {
  /** The journal of all changes, and the states that it leads through by how many of its lines are whole. */
  async function journal(): Promise<Buffer> {
    const file = await save(SERVICES);
    return await readFile(file.journalPath);
  }

  test("a journal cut anywhere keeps each change that is whole", async () => {
    const bytes = await journal();
    const ends = [...bytes.entries()].filter(([, byte]) => byte === 0x0a).map(([at]) => at + 1);
    for (let length = 0; length <= bytes.length; length++) {
      const { records } = readJournal(bytes.subarray(0, length), path);
      // Of two lines the first is the change, the second its mark.
      const whole = Math.ceil(ends.filter((end) => end <= length).length / 2);
      expect(records.map(({ sequence }) => sequence)).toEqual(
        Array.from({ length: whole }, (_, index) => index + 1),
      );
    }
  });

  test("a journal cut anywhere goes on where it was cut", async () => {
    const bytes = await journal();
    for (let length = 0; length <= bytes.length; length += 97) {
      await writeFile(`${path}.journal`, bytes.subarray(0, length));
      const file = open();
      const state = await file.load();
      const after = command(state, "-A -u V:53", names);
      await file.append(state, after);
      expect(await open().load()).toEqual(after);
    }
  });

  test("a bit of the journal that is another is refused, or was in the last mark", async () => {
    const bytes = await journal();
    const markAt = bytes.lastIndexOf(0x0a, -2) + 1;
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = Buffer.from(bytes);
        flipped[at]! ^= 1 << bit;
        if (at < markAt) expect(() => readJournal(flipped, path)).toThrow(/is damaged at byte \d+/);
        else expect(readJournal(flipped, path).records).toHaveLength(SERVICES.length - 1);
      }
    }
  });

  test("a snapshot that is cut anywhere, or of which a bit is another, is refused", async () => {
    const file = await save(SERVICES.slice(0, 3));
    await file.end(SERVICES[2]!);
    const bytes = await readFile(path);
    expect((await readSnapshot(bytes, path)).isChecked).toBe(true);
    for (let at = 0; at < bytes.length; at++) {
      await expect(readSnapshot(bytes.subarray(0, at), path)).rejects.toThrow(StateFileError);
      for (let bit = 0; bit < 8; bit++) {
        const flipped = Buffer.from(bytes);
        flipped[at]! ^= 1 << bit;
        await expect(readSnapshot(flipped, path)).rejects.toThrow(StateFileError);
      }
    }
  });
});
