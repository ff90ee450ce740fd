/** Observations as lines that two sides must have in common, with what may vary taken out. */
import { Address } from "../../src/net/address.ts";
import { readMac } from "../../src/net/mac-address.ts";
import type { Comparison, Frame, Observation } from "./case.ts";
import { nameOf } from "./laboratory.ts";

export function linesOf(observation: Observation | undefined, comparison: Comparison): string[] {
  switch (observation?.kind) {
    case undefined:
      return ["(no report)"];
    case "ran":
      return ranLines(observation);
    case "sent":
      return comparison === "servers"
        ? [observation.frames.map(receiver).join(", ") || "nobody"]
        : observation.frames.map(frameLine);
    case "saw":
      return [...observation.lines];
    case "waited":
      return [];
  }
}

function ranLines({ exitCode, stdout, stderr }: Observation & { kind: "ran" }): string[] {
  return [
    `exit code ${exitCode < 0 ? `of signal ${-exitCode}` : exitCode}`,
    ...marked("stdout", stdout),
    ...marked("stderr", stderr),
  ];
}

/** Every byte shows: the end of the text without a line feed, too. */
function marked(name: string, text: string): string[] {
  if (text === "") return [];
  return text
    .replace(/\n$/, "")
    .split("\n")
    .map(
      (line, index, all) =>
        `${name}|${line}${index === all.length - 1 && !text.endsWith("\n") ? "|no line feed" : ""}`,
    );
}

function receiver({ wire, bytes }: Frame): string {
  return wire === "lan" || wire === "wan" ? nameOf(readMac(bytes, 0)) : wire;
}

function frameLine({ wire, bytes }: Frame): string {
  const packet = Buffer.from(bytes.subarray(14));
  return `${wire} ${readMac(bytes, 6)} > ${nameOf(readMac(bytes, 0))} ${summary(packet)} ${packet.toString("hex")}`;
}

/** For the reader. */
function summary(packet: Buffer): string {
  const isInet6 = packet[0]! >>> 4 === 6;
  const [source, destination] = isInet6
    ? [Address.fromBytes(packet, 8, "inet6"), Address.fromBytes(packet, 24, "inet6")]
    : [Address.fromBytes(packet, 12, "inet"), Address.fromBytes(packet, 16, "inet")];
  const protocol = packet[isInet6 ? 6 : 9];
  return `${source} > ${destination} protocol ${protocol} ttl ${packet[isInet6 ? 7 : 8]}`;
}
