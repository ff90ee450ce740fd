import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MemoryEngine } from "../../test/memory-engine.ts";
import { addDestination, addService, deleteService, setTimeouts } from "../ipvs/desired-state.ts";
import type { ServiceKey } from "../ipvs/service.ts";
import { setSysctls } from "../ipvs/set-sysctl.ts";
import { DEFAULT_SYSCTLS } from "../ipvs/sysctls.ts";
import { Control } from "./control.ts";
import { SnapshotError, SnapshotFile } from "./snapshot.ts";
import { destinationFromWire, keyFromWire, serviceFromWire } from "./wire.ts";

const HTTP = keyFromWire({
  kind: "endpoint",
  protocol: "tcp",
  endpoint: { address: "10.0.0.1", port: 80 },
});

function service(key: ServiceKey = HTTP) {
  return {
    ...serviceFromWire({
      key: { kind: "mark", family: "inet", mark: 1 },
      scheduler: "rr",
      schedulerFlags: ["port"],
      onePacket: false,
      persistence: { timeoutSeconds: 60, netmask: "255.255.255.0" },
      persistenceEngine: "sip",
    }),
    key,
  };
}

const DESTINATION = destinationFromWire({
  endpoint: { address: "10.0.0.2", port: 8080 },
  forwarding: { kind: "tunnel", encapsulation: "gue", port: 6080, checksum: "remote" },
  weight: 3,
  upperThreshold: 9,
  lowerThreshold: 5,
});

let directory: string;
let file: SnapshotFile;
let warnings: string[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-control-"));
  warnings = [];
  file = new SnapshotFile(join(directory, "state", "state.json"), (message) => {
    warnings.push(message);
  });
});
afterEach(() => rm(directory, { recursive: true }));

describe("control", () => {
  test("what a command made is in force, in the engine, and there after a restart", async () => {
    const engine = new MemoryEngine();
    const control = await Control.start(engine, file);
    await control.change((state) => addService(state, service()));
    await control.change((state) => addDestination(state, HTTP, DESTINATION));
    await control.change((state) => setTimeouts(state, { tcp: 100, tcpFin: 0, udp: 10 }));
    await control.change((state) => setSysctls(state, { sloppy_tcp: 1, conn_reuse_mode: 0 }));
    expect(engine.desired).toBe(control.state);

    const next = new MemoryEngine();
    expect(JSON.parse(await readFile(file.path, "utf8"))).toMatchObject({
      sysctls: { sloppy_tcp: 1, conn_reuse_mode: 0 },
    });
    const restarted = await Control.start(next, file);
    expect(restarted.state).toEqual(control.state);
    expect(next.desired).toBe(restarted.state);
  });

  test("a refused command changes nothing", async () => {
    const control = await Control.start(new MemoryEngine(), file);
    const before = control.state;
    const refused = control.change((state) => deleteService(state, HTTP));
    await expect(refused).rejects.toThrow("No such service: TCP 10.0.0.1:80");
    expect(control.state).toBe(before);
  });

  test("what the engine refuses is neither in force nor on disk", async () => {
    const engine = new MemoryEngine();
    const control = await Control.start(engine, file);
    engine.refusal = new Error("no memory");
    const failed = control.change((state) => addService(state, service()));
    await expect(failed).rejects.toThrow("no memory");
    expect(control.state.services.size).toBe(0);
    expect((await file.load()).services.size).toBe(0);
  });

  test("what cannot be written is taken back from the engine", async () => {
    const engine = new MemoryEngine();
    const control = await Control.start(engine, file);
    await writeFile(join(directory, "state"), "a file where a directory must be");
    await expect(control.change((state) => addService(state, service()))).rejects.toThrow();
    expect(engine.desired.services.size).toBe(0);
    expect(control.state.services.size).toBe(0);
  });

  test("commands given at once run one after the other, each on what the one before made", async () => {
    const control = await Control.start(new MemoryEngine(), file);
    const marks = Array.from({ length: 20 }, (_, index) => index + 1);
    await Promise.all(
      marks.map((mark) => {
        const key = keyFromWire({ kind: "mark", family: "inet", mark });
        return control.change((state) => addService(state, service(key)));
      }),
    );
    expect([...control.state.services.keys()]).toEqual(marks.map((mark) => `FWM ${mark}`));
  });

  test("counters of an unknown service cannot be restarted", async () => {
    const engine = new MemoryEngine();
    const control = await Control.start(engine, file);
    await expect(control.zero(HTTP)).rejects.toThrow("No such service");
    await control.zero(undefined);
    expect(engine.zeroed).toEqual(["all"]);
  });
});

describe("the state file", () => {
  test("that never was is the empty state", async () => {
    expect((await file.load()).services.size).toBe(0);
  });

  test("survives a crash between the new file and its renaming", async () => {
    const control = await Control.start(new MemoryEngine(), file);
    await control.change((state) => addService(state, service()));
    await writeFile(`${file.path}.next`, '{ "format": 1, "servi');
    const restarted = await Control.start(new MemoryEngine(), file);
    expect(restarted.state).toEqual(control.state);
    await restarted.change((state) => deleteService(state, HTTP));
    expect(await readdir(join(directory, "state"))).toEqual(["state.json"]);
  });

  test("of a Sluice that marked packets itself is read without its rules, with a warning where there are some", async () => {
    const control = await Control.start(new MemoryEngine(), file);
    await control.change((state) => addService(state, service()));
    const saved = JSON.parse(await readFile(file.path, "utf8")) as object;
    await writeFile(file.path, JSON.stringify({ ...saved, markRules: [] }));
    expect(await file.load()).toEqual(control.state);
    expect(warnings).toEqual([]);
    const markRules = [{ family: "inet", destination: "10.0.0.1/32", mark: 7 }];
    await writeFile(file.path, JSON.stringify({ ...saved, markRules }));
    expect(await file.load()).toEqual(control.state);
    expect(warnings).toEqual([
      `The mark rules in ${file.path} are not used any more, and go from it with the next command: write them with nft or iptables (docs/marks.md). They are ${JSON.stringify(markRules)}`,
    ]);
  });

  test("of a Sluice without knobs gives each its default", async () => {
    const control = await Control.start(new MemoryEngine(), file);
    await control.change((state) => addService(state, service()));
    const text = await readFile(file.path, "utf8");
    await writeFile(file.path, text.replace('"sysctls": {},', ""));
    expect((await file.load()).sysctls).toEqual(DEFAULT_SYSCTLS);
  });

  // biome-ignore format: a table
  const damages: [why: string, damage: (text: string) => string, says: string][] = [
    ["is cut short",              (text) => text.slice(0, 40),                          "JSON"],
    ["is of another format",      (text) => text.replace('"format": 1', '"format": 2'), "format: "],
    ["has a bad address",         (text) => text.replace("10.0.0.1", "10.0.0.256"),     "services[0].key.endpoint.address: expected an IPv4 or IPv6 address"],
    ["has an unknown key",        (text) => text.replace('"onePacket"', '"onePocket"'), 'services[0]: Unrecognized key: "onePocket"'],
    ["names no scheduler",        (text) => text.replace('"rr"', '"rrr"'),              "services[0]: Scheduler or persistence engine not found: TCP 10.0.0.1:80: rrr"],
    ["has an unknown knob",       (text) => text.replace('"sysctls": {}', '"sysctls": {"drop":1}'), "sysctls: No such file or directory: net.ipv4.vs.drop"],
    ["has a knob out of range",   (text) => text.replace('"sysctls": {}', '"sysctls": {"drop_entry":4}'), "sysctls: Invalid argument: net.ipv4.vs.drop_entry: 4 is not in 0 to 3"],
    ["has a mask of the other family", (text) => text.replace('"netmask": "255.255.255.0"', '"prefixLength": 24'), "an IPv4 service's persistence has a netmask"],
  ];

  test.for(damages)("stops the start when it %s", async ([, damage, says]) => {
    const control = await Control.start(new MemoryEngine(), file);
    await control.change((state) => addService(state, service()));
    const damaged = damage(await readFile(file.path, "utf8"));
    await writeFile(file.path, damaged);
    const start = Control.start(new MemoryEngine(), file);
    await expect(start).rejects.toThrow(SnapshotError);
    await expect(start).rejects.toThrow(`Cannot use the saved state in ${file.path}: `);
    await expect(start).rejects.toThrow(says);
    expect(await readFile(file.path, "utf8")).toBe(damaged);
  });
});
