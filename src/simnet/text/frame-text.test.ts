/** Lines as tcpdump 4.99 prints them of the same bytes. */
import { expect, test } from "vitest";
import { bytes } from "../../../test/bytes.ts";
import { filterOf, seenIn } from "../commands/capture/expression.ts";
import { frameText, packetText } from "./frame-text.ts";

const TO = "0200c0a8960b 0200c0a89601";
const SYN = `4500 002c 0001 4000 4006 8d14 c0a89601 c0a89664
  8000 0050 00000001 00000000 6002 ffff 0000 0000 0204 05b4`;
const ACK = `4500 0028 0002 4000 4006 8d17 c0a89601 c0a89664
  8000 0050 00000002 0000000b 5010 ffff 0000 0000`;
const DATA = `4500 002b 0003 4000 4006 8d13 c0a89601 c0a89664
  8000 0050 00000002 0000000b 5018 ffff 0000 0000 616263`;
const ECHO = "4500 001c 0001 0000 4001 cd82 c0a89601 c0a8960b 0800 f7ff 0007 0002";
const WHO_HAS = `0806 0001 0800 06 04 0001 0200c0a89601 c0a89601 000000000000 c0a89664`;
const IS_AT = `0806 0001 0800 06 04 0002 0200c0a8960b c0a89664 0200c0a89601 c0a89601`;

// biome-ignore format: a table
const frames: [what: string, frame: string, line: string][] = [
  ["a question", `ffffffffffff 0200c0a89601 ${WHO_HAS}`, "ARP, Request who-has 192.168.150.100 tell 192.168.150.1, length 28"],
  ["an answer", `${TO} ${IS_AT}`, "ARP, Reply 192.168.150.100 is-at 02:00:c0:a8:96:0b, length 28"],
  ["an announcement", "ffffffffffff 0200c0a8960b 0806 0001 0800 06 04 0001 0200c0a8960b c0a89664 000000000000 c0a89664", "ARP, Announcement 192.168.150.100, length 28"],
  ["a SYN", `${TO} 0800 ${SYN}`, "IP 192.168.150.1.32768 > 192.168.150.100.80: Flags [S], seq 1, win 65535, options [mss 1460], length 0"],
  ["an acknowledgement", `${TO} 0800 ${ACK}`, "IP 192.168.150.1.32768 > 192.168.150.100.80: Flags [.], ack 11, win 65535, length 0"],
  ["data", `${TO} 0800 ${DATA}`, "IP 192.168.150.1.32768 > 192.168.150.100.80: Flags [P.], seq 2:5, ack 11, win 65535, length 3: HTTP"],
  ["an echo", `${TO} 0800 ${ECHO}`, "IP 192.168.150.1 > 192.168.150.11: ICMP echo request, id 7, seq 2, length 8"],
  ["a cut off frame", "0200", "[|ether]"],
  ["a cut off packet", `${TO} 0800 4500`, "IP [|ip]"],
];

test.each(frames)("%s", (_, frame, line) => {
  expect(frameText(bytes(frame), false)).toBe(line);
});

test("-e has the frame's header and its length", () => {
  expect(frameText(bytes(`${TO} 0800 ${ACK}`), true)).toBe(
    "02:00:c0:a8:96:01 > 02:00:c0:a8:96:0b, ethertype IPv4 (0x0800), length 54: 192.168.150.1.32768 > 192.168.150.100.80: Flags [.], ack 11, win 65535, length 0",
  );
});

test("numbers count from the connection's beginning once it was seen", () => {
  const beginnings = new Map<string, number>();
  frameText(bytes(`${TO} 0800 ${SYN}`), false, beginnings);
  expect(frameText(bytes(`${TO} 0800 ${DATA}`), false, beginnings)).toContain("seq 1:4");
});

test("a tunnel's packet is told with what is in it", () => {
  const tunnel = `4500 0040 0002 4000 4004 0000 c0a8960b c0a8960c ${SYN}`;
  expect(packetText(bytes(tunnel))).toMatch(
    /^IP 192\.168\.150\.11 > 192\.168\.150\.12: IP 192\.168\.150\.1\.32768 > 192\.168\.150\.100\.80: Flags \[S\]/,
  );
});

// biome-ignore format: a table
const filters: [expression: string, takes: string[]][] = [
  ["", ["arp", "syn", "echo"]],
  ["arp", ["arp"]],
  ["not arp", ["syn", "echo"]],
  ["tcp", ["syn"]],
  ["icmp", ["echo"]],
  ["port 80", ["syn"]],
  ["src port 80", []],
  ["dst port 80", ["syn"]],
  ["tcp port 80 or arp", ["arp", "syn"]],
  ["host 192.168.150.100", ["arp", "syn"]],
  ["dst host 192.168.150.100 and port 80", ["syn"]],
  ["src 192.168.150.1 and not (port 80 or icmp)", ["arp"]],
  ["net 192.168.150.0/24", ["arp", "syn", "echo"]],
  ["ether src 02:00:c0:a8:96:01", ["arp", "syn", "echo"]],
  ["ether dst 02:00:c0:a8:96:0b", ["syn", "echo"]],
  ["greater 50", ["syn"]],
];
const SAMPLES = {
  arp: `ffffffffffff 0200c0a89601 ${WHO_HAS}`,
  syn: `${TO} 0800 ${SYN}`,
  echo: `${TO} 0800 ${ECHO}`,
};

test.each(filters)("tcpdump %s", (expression, takes) => {
  const filter = filterOf(expression === "" ? [] : expression.split(" "))!;
  const taken = Object.entries(SAMPLES).filter(([, frame]) => filter(seenIn(bytes(frame), true)));
  expect(taken.map(([name]) => name)).toEqual(takes);
});

test.each(["port", "host nowhere.example and", "(tcp", "tcp)", "prot 80"])(
  "tcpdump %s is a syntax error",
  (expression) => {
    expect(filterOf(expression.split(" "))).toBeUndefined();
  },
);
