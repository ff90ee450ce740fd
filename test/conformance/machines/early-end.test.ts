import { expect, it } from "vitest";
import { type EarlyEnd, wordsOf } from "./early-end.ts";

const END: EarlyEnd = {
  guest: "Linux 6.1.176 in User Mode Linux",
  end: { kind: "signal", signal: "SIGABRT" },
  afterMs: 1234,
  logs: { agent: "", kernel: "", console: "" },
  instead: "Try another.",
};

it("says that there is nothing to say", () => {
  expect(wordsOf(END)).toBe(
    "The guest, Linux 6.1.176 in User Mode Linux, did not finish: it was ended by SIGABRT, after 1.2 s.\n" +
      "Its kernel said nothing.\n" +
      "Try another.",
  );
});

it("shows a panic's words without its stack", () => {
  const console = [
    "Kernel panic - not syncing: Requested init /nothing failed (error -2).",
    "CPU: 0 PID: 1 Comm: swapper Not tainted 6.1.176 #1 ",
    "Stack:",
    " 606944ba 607e7fcd 77853e40 6067bb96",
    " 00000000 77853e70",
    "Call Trace:",
    " [<606944ba>] ? _printk+0x0/0x94",
    "[    4.580132] Call Trace:\r",
    "[    4.591965]  <TASK>\r",
    "[    4.593012]  panic+0x31d/0x33e\r",
    "[    4.594439]\r",
    "",
  ].join("\n");
  expect(wordsOf({ ...END, logs: { ...END.logs, console } })).toContain(
    "Its kernel's last lines:\n" +
      "  Kernel panic - not syncing: Requested init /nothing failed (error -2).\n" +
      "  CPU: 0 PID: 1 Comm: swapper Not tainted 6.1.176 #1\n" +
      "Try another.",
  );
});

it("shows the last lines of the agent, and of the whole kernel's log before the console's", () => {
  const agent = Array.from({ length: 30 }, (_, line) => `line ${line}`).join("\n");
  const logs = { agent, kernel: "IPVS: ipvs loaded.\n", console: "epollctl add err\n" };
  const words = wordsOf({ ...END, end: { kind: "exit", code: 0 }, logs });
  expect(words).toContain("it ended with exit code 0, after 1.2 s.\n");
  expect(words).toContain("Its agent's last lines:\n  line 15\n");
  expect(words).toContain("  line 29\nIts kernel's last lines:\n  IPVS: ipvs loaded.\n");
  expect(words).not.toContain("epollctl");
});

it("says how long it had, and how it gets longer", () => {
  expect(wordsOf({ ...END, end: { kind: "time", limitMs: 600_000 } })).toContain(
    "it had 600 s and was ended, after 1.2 s.\nIts kernel said nothing.\n--timeout SECONDS gives it longer.\n",
  );
});
