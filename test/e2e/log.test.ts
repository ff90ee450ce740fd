/** Who reads the log, and how fast, is no matter of the data plane's. */
import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DaemonHome } from "./daemon.ts";
import { Network, R1, V } from "./network.ts";

let network: Network;
let home: DaemonHome;

beforeEach(async () => {
  network = new Network();
  home = new DaemonHome();
  await network.speak(network.server, 80);
});

afterEach(() => {
  network[Symbol.dispose]();
  home[Symbol.dispose]();
});

/** A pipe that is full. */
function fullPipe(path: string): { read(): string; close(): void } {
  const { O_RDWR, O_NONBLOCK } = constants;
  network.director.run(`mkfifo ${path}`);
  const fd = openSync(path, O_RDWR | O_NONBLOCK);
  const filling = Buffer.alloc(4096, "\n");
  try {
    for (;;) writeSync(fd, filling);
  } catch (error) {
    expect(error).toMatchObject({ code: "EAGAIN" });
  }
  const bytes = Buffer.alloc(1 << 16);
  return {
    read() {
      try {
        return bytes.toString("utf8", 0, readSync(fd, bytes));
      } catch {
        return "";
      }
    },
    close: () => closeSync(fd),
  };
}

test("a daemon whose log nobody reads starts, balances, and answers; its log comes when it is read", async () => {
  const path = `${home.socket}.log`;
  const pipe = fullPipe(path);
  const child = home.launchBy(network.director, `exec "$@" >${path} 2>&1`);
  await expect.poll(() => home.ipvsadm("-L").code, { timeout: 20_000 }).toBe(0);
  home.configure(`-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r ${R1} -m`);
  expect(network.ask(80)).toBe(R1);
  let log = "";
  await expect.poll(() => (log += pipe.read()), { timeout: 5_000 }).toContain("the director runs");
  expect(child.exitCode).toBe(null);
  expect(network.ask(80)).toBe(R1);
  pipe.close();
});
