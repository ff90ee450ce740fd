/** A service whose scheduler is looked at, its servers and its clients. */
import { ipvsadm, packet, restore, type Step } from "../case.ts";

/** Options of each server, by the last part of its address. */
export type Servers = Readonly<Record<number, string>>;

/** How a scenario speaks of its service and servers. */
export interface Target {
  readonly protocol: "tcp" | "udp";
  readonly service: string;
  server(number: number): string;
  /** From client 10.9.0.(client), fd09::(client). */
  packet(client: number, port: number, flags: string): Step;
}

export function targetOf(family: 4 | 6, protocol: "tcp" | "udp"): Target {
  const at = family === 4 ? "VIP:80" : "[VIP6]:80";
  return {
    protocol,
    service: `-${protocol === "tcp" ? "t" : "u"} ${at}`,
    server: (number) => (family === 4 ? `192.168.150.${number}:80` : `[fd15::${number}]:80`),
    packet: (client, port, flags) => {
      const low = client & 0xff;
      const high = client >> 8;
      const from =
        family === 4 ? `10.9.${high}.${low}` : `[fd09::${high.toString(16)}:${low.toString(16)}]`;
      return packet(
        `${protocol} ${from}:${port} > ${at} ${protocol === "tcp" ? flags : "length=8"}`,
      );
    },
  };
}

export const edit = (target: Target, number: number, options: string): Step =>
  ipvsadm(`-e ${target.service} -r ${target.server(number)} ${options}`);
export const add = (target: Target, number: number, options: string): Step =>
  ipvsadm(`-a ${target.service} -r ${target.server(number)} ${options}`);
export const remove = (target: Target, number: number): Step =>
  ipvsadm(`-d ${target.service} -r ${target.server(number)}`);

export function begin(target: Target, variant: string, servers: Servers): Step {
  return restore(
    `-A ${target.service} -s ${variant}`,
    ...Object.entries(servers).map(
      ([number, options]) => `-a ${target.service} -r ${target.server(Number(number))} ${options}`,
    ),
  );
}
