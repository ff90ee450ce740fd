import { mkdir, mkdtemp, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MemoryEngine } from "../../test/memory-engine.ts";
import {
  addDestination,
  addService,
  deleteService,
  setTimeouts,
} from "../ipvs/desired/desired-state.ts";
import type { ServiceKey } from "../ipvs/desired/service.ts";
import { setSysctls } from "../ipvs/desired/set-sysctl.ts";
import { reconciling, type WantedState } from "../ipvs/desired/wanted.ts";
import { Control } from "./control.ts";
import { StateFile } from "./state-file.ts";
import { destinationFromWire, keyFromWire, serviceFromWire } from "./wire.ts";

const HTTP = keyFromWire({
  kind: "endpoint",
  protocol: "tcp",
  endpoint: { address: "10.0.0.1", port: 80 },
});

function markKey(mark: number): ServiceKey {
  return keyFromWire({ kind: "mark", family: "inet", mark });
}

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
const opened: StateFile[] = [];
let file: StateFile;
let warnings: string[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-control-"));
  warnings = [];
  file = openFile();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each[Symbol.asyncDispose]()));
  await rm(directory, { recursive: true });
});

/** As a daemon of its own would. */
function openFile(floor?: number): StateFile {
  const warn = (message: string) => warnings.push(message);
  const file = new StateFile(join(directory, "state.json"), warn, floor);
  opened.push(file);
  return file;
}

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
    const restarted = await Control.start(next, openFile());
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
    await mkdir(`${file.path}.next`);
    await expect(control.change((state) => addService(state, service()))).rejects.toThrow();
    expect(engine.desired.services.size).toBe(0);
    expect(control.state.services.size).toBe(0);
    await rmdir(`${file.path}.next`);
    await control.change((state) => addService(state, service()));
    expect((await openFile().load()).services.size).toBe(1);
  });

  test("commands given at once run one after the other, each on what the one before made", async () => {
    const engine = new MemoryEngine();
    const control = await Control.start(engine, file);
    const first = control.change((state) => addService(state, service(markKey(1))));
    await Promise.resolve();
    const marks = Array.from({ length: 20 }, (_, index) => index + 1);
    const others = marks
      .slice(1)
      .map((mark) => control.change((state) => addService(state, service(markKey(mark)))));
    await Promise.all([first, ...others]);
    expect([...control.state.services.keys()]).toEqual(marks.map((mark) => `FWM ${mark}`));
    // The first was alone; the others waited, and were done together.
    expect(engine.applied).toEqual([1, 1, 19]);
  });

  test("of commands that are done together each is refused for itself", async () => {
    const control = await Control.start(new MemoryEngine(), file);
    const settled = await Promise.allSettled([
      control.change((state) => addService(state, service(markKey(1)))),
      control.change((state) => addService(state, service(markKey(2)))),
      control.change((state) => addService(state, service(markKey(2)))),
      control.change((state) => deleteService(state, markKey(3))),
      control.change((state) => deleteService(state, markKey(1))),
    ]);
    expect(settled.map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
      "rejected",
      "fulfilled",
    ]);
    expect([...control.state.services.keys()]).toEqual(["FWM 2"]);
    expect((await openFile().load()).services).toEqual(control.state.services);
  });

  test("when the engine refuses commands together, each is tried alone", async () => {
    const engine = new MemoryEngine();
    const control = await Control.start(engine, file);
    engine.refusal = new Error("too much at once");
    await Promise.all(
      [1, 2, 3, 4].map((mark) =>
        control.change((state) => addService(state, service(markKey(mark)))),
      ),
    );
    expect(engine.applied).toEqual([1, 1, 1, 1, 1]);
    expect((await openFile().load()).services).toEqual(control.state.services);
  });

  test("a whole state takes its turn, is on disk, and is taken back when it cannot be", async () => {
    const engine = new MemoryEngine();
    const control = await Control.start(engine, file);
    const wanted = (mark: number): WantedState => ({
      services: [{ spec: service(markKey(mark)), destinations: [] }],
      timeouts: { udp: mark },
      sysctls: {},
      keepsOthers: true,
    });
    const [, replaced] = await Promise.all([
      control.change((state) => addService(state, service())),
      control.replace((state) => reconciling(state, wanted(1), 0)),
      control.change((state) => deleteService(state, HTTP)),
    ]);
    expect([...replaced.before.services.keys()]).toEqual(["TCP 10.0.0.1:80"]);
    expect([...control.state.services.keys()]).toEqual(["FWM 1"]);
    engine.refusal = new Error("no memory");
    const { state } = control;
    await expect(control.replace((now) => reconciling(now, wanted(2), 0))).rejects.toThrow(
      "no memory",
    );
    expect([control.state, engine.desired]).toEqual([state, state]);
    const loaded = await openFile().load();
    expect([...loaded.services.keys()]).toEqual(["FWM 1"]);
    expect(loaded.timeouts.udp).toBe(1);
  });

  test("counters that are restarted between two commands are so in that order", async () => {
    const engine = new MemoryEngine();
    const control = await Control.start(engine, file);
    const first = control.change((state) => addService(state, service()));
    const zero = control.zero(HTTP);
    const last = control.change((state) => deleteService(state, HTTP));
    await Promise.all([first, zero, last]);
    expect(engine.zeroed).toEqual(["TCP 10.0.0.1:80"]);
  });

  test("counters of an unknown service cannot be restarted", async () => {
    const engine = new MemoryEngine();
    const control = await Control.start(engine, file);
    await expect(control.zero(HTTP)).rejects.toThrow("No such service");
    await control.zero(undefined);
    expect(engine.zeroed).toEqual(["all"]);
  });
});
