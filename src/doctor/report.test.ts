import { expect, test } from "vitest";
import { advice, commands } from "./finding.ts";
import { COLOURS, NO_COLOURS, report } from "./report.ts";

const EXAMINATION = {
  findings: [
    {
      code: "vip-missing",
      about: "this host",
      says: "192.0.2.1 is no address of this host",
      evidence: "'ip address show to 192.0.2.1' is empty",
      leadsTo: "requests hang",
      remedy: commands("ip address add 192.0.2.1/32 dev lo"),
    },
    {
      code: "no-listener",
      about: "TCP 192.0.2.1:80",
      says: "nobody listens at port 80",
      evidence: "nothing listens",
      leadsTo: "requests are refused",
      remedy: advice("start the program"),
    },
  ],
  skipped: [{ what: "firewall rules", why: "nobody tells" }],
};

test("people see what is wrong, what shows it, what it leads to, and what mends it", () => {
  expect(report(EXAMINATION, NO_COLOURS)).toMatchInlineSnapshot(`
    "2 things are wrong.

      ✘ this host: 192.0.2.1 is no address of this host [vip-missing]
          shown by   'ip address show to 192.0.2.1' is empty
          leads to   requests hang
          mended by  ip address add 192.0.2.1/32 dev lo

      ✘ TCP 192.0.2.1:80: nobody listens at port 80 [no-listener]
          shown by   nothing listens
          leads to   requests are refused
          to do      start the program

      not looked at: firewall rules (nobody tells)
    "
  `);
});

test("or that nothing is, and colours only when they are wanted", () => {
  expect(report({ findings: [], skipped: [] }, NO_COLOURS)).toBe("✔ Nothing is wrong.\n");
  expect(report(EXAMINATION, NO_COLOURS)).not.toContain("\x1b");
  expect(report(EXAMINATION, COLOURS)).toContain("\x1b[31m✘\x1b[0m");
});
