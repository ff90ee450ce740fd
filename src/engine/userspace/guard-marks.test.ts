import { expect, test } from "vitest";
import { markRule } from "../../../test/mark-rules.ts";
import { areSameLines, markLines, replaceMarkChains } from "./guard-marks.ts";

const lines = markLines(
  [
    "-s 10.9.0.0/16 -d 10.0.0.1 -p tcp --ports 80,8000-8100 --sports 1024-65535 -m 7",
    "-6 -m 8",
    "-p icmp -d 10.0.0.1 -m 9",
  ].map(markRule),
);

test("every rule is a line, with a second one for its fragments, and one for ICMP errors", () => {
  expect(lines).toEqual({
    packets: [
      "ip saddr 10.9.0.0/16 ip daddr 10.0.0.1/32 meta l4proto tcp th sport { 1024-65535 } th dport { 80,8000-8100 }",
      "ip frag-off & 0x3fff != 0 ip saddr 10.9.0.0/16 ip daddr 10.0.0.1/32 meta l4proto tcp",
      "meta nfproto ipv6 meta l4proto { tcp, udp, sctp }",
    ],
    errors: [
      "ip daddr 10.0.0.1/32 icmp type { 3, 4, 11, 12 }",
      "meta nfproto ipv6 icmpv6 type { 1, 2, 3, 4 }",
    ],
  });
});

test("other marks of the same packets change nothing", () => {
  const other = markLines(["-d 10.0.0.1 -m 1", "-d 10.0.0.1 -m 2"].map(markRule));
  expect(areSameLines(other, markLines([markRule("-d 10.0.0.1 -m 3")]))).toBe(true);
  expect(areSameLines(other, lines)).toBe(false);
});

test("chains are built whole before the switch, which is one transaction", () => {
  const short = markLines([markRule("-d 10.0.0.1 -p tcp -m 7")]);
  expect(replaceMarkChains(short, 1, 2)).toEqual([
    [
      "add chain inet sluice_guard marks_2",
      "add rule inet sluice_guard marks_2 ip daddr 10.0.0.1/32 meta l4proto tcp drop",
      "add chain inet sluice_guard markErrors_2",
      "add rule inet sluice_guard markErrors_2 ip daddr 10.0.0.1/32 icmp type { 3, 4, 11, 12 } drop",
    ].join("; "),
    [
      "flush chain inet sluice_guard marks",
      "add rule inet sluice_guard marks jump marks_2",
      "flush chain inet sluice_guard markErrors",
      "add rule inet sluice_guard markErrors jump markErrors_2",
      "flush chain inet sluice_guard marks_1",
      "delete chain inet sluice_guard marks_1",
      "flush chain inet sluice_guard markErrors_1",
      "delete chain inet sluice_guard markErrors_1",
    ].join("; "),
  ]);
  const many = markLines(
    Array.from({ length: 256 }, (_, index) => markRule(`-p tcp --ports ${index} -m 1`)),
  );
  const sizes = replaceMarkChains(many, undefined, 1).map((text) => text.split("; ").length);
  // 257 lines for packets (fragments are all one), one for errors, two chains, and two for each switch.
  expect(sizes).toEqual([100, 100, 60, 4]);
});
