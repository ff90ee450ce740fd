/** /proc/net/ip_vs_conn and /proc/net/ip_vs, read into the lines that sides compare. */
import { Address } from "../../src/net/address.ts";
import { connectionLine, serverLine, serviceLine, totalsLine } from "./lines.ts";

/** `TCP 0A090001 03E8 0A010000 0050 C0A89615 0050 SYN_RECV         59`. */
export function readConnections(text: string): string[] {
  return linesOf(text)
    .map((line) => {
      const [
        protocol = "",
        client,
        clientPort,
        virtual,
        virtualPort,
        server,
        serverPort,
        state,
        expires,
        ,
        data,
      ] = line.trim().split(/\s+/);
      return connectionLine({
        protocol,
        client: endpoint(client, clientPort),
        virtual: endpoint(virtual, virtualPort),
        destination: endpoint(server, serverPort),
        state: state ?? "",
        expiresInSeconds: Number(expires),
        data,
      });
    })
    .toSorted();
}

/** `TCP  0A010000:0050 rr` and `  -> C0A89615:0050      Route   1      0          0`. */
export function readServices(text: string): string[] {
  return linesOf(text).map((line) => {
    const words = line.trim().split(/\s+/);
    const [first = "", name = "", scheduler = "", weight, active, inactive] = words;
    if (first !== "->")
      return serviceLine(
        first,
        first === "FWM" ? String(Number(`0x${name}`)) : at(name),
        scheduler,
      );
    return serverLine({
      at: at(name),
      method: scheduler,
      weight: Number(weight),
      active: Number(active),
      inactive: Number(inactive),
    });
  });
}

/** /proc/net/ip_vs_stats: two lines of titles, hexadecimal counters, a line of titles, hexadecimal rates. */
export function readTotals(text: string): string[] {
  return linesOf(text)
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => words.every((word) => /^[0-9A-F]+$/.test(word)))
    .map((words, index) =>
      totalsLine(
        index === 0 ? "counters" : "rates",
        words.map((word) => Number.parseInt(word, 16)),
      ),
    );
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}

/** `0A010000:0050` or `[fd01:...]:0050`. */
function at(text: string): string {
  const [, bracketed, bare, port] = /^(?:\[(.*)\]|([0-9A-F]+)):([0-9A-F]{4})$/.exec(text) ?? [];
  return endpoint(bracketed ?? bare, port);
}

function endpoint(address = "", port = ""): string {
  const parsed = address.includes(":")
    ? Address.parse(address)
    : Address.inet(Number.parseInt(address, 16) | 0);
  const text = parsed?.toString() ?? address;
  return `${text.includes(":") ? `[${text}]` : text}:${Number.parseInt(port, 16)}`;
}
