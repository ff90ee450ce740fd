import { expect, test } from "vitest";
import { bytes } from "../../../test/bytes.ts";
import { changedFields, dissect } from "./dissect.ts";

const TO_DIRECTOR = "0200c0a8960b 0200c0a89601 0800";
const TO_SERVER = "0200c0a8960c 0200c0a8960b 0800";
const SYN = `4500 0028 0001 4000 4006 8e8e c0a89601 c0a89664
  8000 0050 00000001 00000000 5002 ffff 0000 0000`;

// biome-ignore format: a table
const frames: [what: string, frame: string, summary: string][] = [
  ["a question", "ffffffffffff 0200c0a89601 0806 0001 0800 06 04 0001 0200c0a89601 c0a89601 000000000000 c0a89664",
    "ARP: who has 192.168.150.100? tell 192.168.150.1"],
  ["an answer", "0200c0a89601 0200c0a8960b 0806 0001 0800 06 04 0002 0200c0a8960b c0a89664 0200c0a89601 c0a89601",
    "ARP: 192.168.150.100 is at 02:00:c0:a8:96:0b"],
  ["an announcement", "ffffffffffff 0200c0a8960b 0806 0001 0800 06 04 0001 0200c0a8960b c0a89664 000000000000 c0a89664",
    "ARP: 192.168.150.100 is mine"],
  ["a SYN", `${TO_DIRECTOR} ${SYN}`, "SYN  192.168.150.1:32768 → 192.168.150.100:80"],
  ["a ping", "0200c0a8960b 0200c0a89601 0800 4500 001c 0001 0000 4001 0000 c0a89601 c0a8960b 0800 f7ff 0000 0000",
    "ICMP echo request  192.168.150.1 → 192.168.150.11"],
  ["a tunnel", `${TO_SERVER} 4500 003c 0002 4000 4004 0000 c0a8960b c0a8960c ${SYN}`,
    "in a tunnel to 192.168.150.12: SYN  192.168.150.1:32768 → 192.168.150.100:80"],
  ["what is cut off", "0200c0a8960b 0200c0a89601 0800 4500", "02:00:c0:a8:96:01 → 02:00:c0:a8:96:0b"],
];

test.each(frames)("%s is told in a line", (_, frame, summary) => {
  expect(dissect(bytes(frame)).summary).toBe(summary);
});

test("direct routing changes the MAC addresses and nothing else", () => {
  const [before, after] = [`${TO_DIRECTOR} ${SYN}`, `${TO_SERVER} ${SYN}`].map((each) =>
    dissect(bytes(each)),
  );
  expect([...changedFields(before!, after!)]).toEqual(["Ethernet 0 to", "Ethernet 0 from"]);
  expect(before!.identity).toBe(after!.identity);
});

test("a tunnel brings a header, and the packet in it stays as it was", () => {
  const before = dissect(bytes(`${TO_DIRECTOR} ${SYN}`));
  const after = dissect(
    bytes(`${TO_SERVER} 4500 003c 0002 4000 4004 0000 c0a8960b c0a8960c ${SYN}`),
  );
  const changed = [...changedFields(before, after)];
  expect(changed).toContain("IPv4 1 to");
  expect(changed.filter((key) => /^(TCP|IPv4) 0/.test(key))).toEqual([]);
});
