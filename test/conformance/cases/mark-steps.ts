/** Services of firewall marks, and the packets that are sent to them. */
import { packet, restore, type Step } from "../case.ts";

export const SERVERS = [21, 22, 23];

/** A service of MARK with three servers, which get 21 last. */
export function service(options: string, forwarding = "-g", at = "-f MARK", port = ""): Step {
  const address = (number: number): string =>
    at.includes("-6") ? `fd15::${number}` : `192.168.150.${number}`;
  return restore(
    `-A ${at} ${options}`,
    ...SERVERS.map((number) => `-a ${at} -r ${address(number)}${port} ${forwarding}`),
  );
}

/** A SYN to `to`, from port `from` of the case's client. */
export const syn = (from: number, to: string): Step => packet(`tcp CLIENT:${from} > ${to} S`);
export const syn6 = (from: number, to: string): Step => packet(`tcp [CLIENT6]:${from} > ${to} S`);
export const udp = (from: number, to: string): Step =>
  packet(`udp CLIENT:${from} > ${to} length=8`);

/** By name: steps, after which no rule is in force any more. */
export type Row = readonly [name: string, ...steps: readonly Step[]];
