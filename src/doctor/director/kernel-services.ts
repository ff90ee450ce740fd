/** Services of the kernel's own IPVS: /proc/net/ip_vs, IPv4 and IPv6. */
import { Address } from "../../net/address.ts";
import type { ExaminedServer, ExaminedService } from "./service.ts";

const SERVICE = /^(TCP|UDP|SCTP) +(\S+):([0-9A-F]{4}) +\S+(?: +(.*))?$/;
const MARK = /^FWM +([0-9A-F]{8}) +\S+(?: +(.*))?$/;
const SERVER = /^ {2}-> +(\S+):([0-9A-F]{4}) +(Masq|Route|Tunnel|Local) +(\d+)/;
const PERSISTENT = /persistent (\d+)/;

/** ip_vs_info_seq_show() in net/netfilter/ipvs/ip_vs_ctl.c. */
export function kernelServices(table: string): readonly ExaminedService[] {
  const services: (ExaminedService & { servers: ExaminedServer[] })[] = [];
  for (const line of table.split("\n")) {
    const [, protocol, at, port, flags = ""] = SERVICE.exec(line) ?? [];
    const [, mark, markFlags = ""] = MARK.exec(line) ?? [];
    const timeout = PERSISTENT.exec(flags + markFlags)?.[1];
    // In thousandths of a second there.
    const persistenceSeconds = timeout === undefined ? undefined : Number(timeout) / 1_000;
    if (protocol !== undefined) {
      const vip = addressOf(at!);
      const number = Number.parseInt(port!, 16);
      services.push({
        name: `${protocol} ${vip?.family === "inet6" ? `[${vip.toString()}]` : String(vip)}:${number}`,
        protocol: protocol.toLowerCase() as ExaminedService["protocol"],
        vip,
        port: number,
        mark: undefined,
        persistenceSeconds,
        servers: [],
      });
      continue;
    }
    if (mark !== undefined) {
      const number = Number.parseInt(mark, 16);
      services.push({
        name: `FWM ${number}`,
        protocol: "tcp",
        vip: undefined,
        port: 0,
        mark: number,
        persistenceSeconds,
        servers: [],
      });
      continue;
    }
    const [, server, serverPort, way, weight] = SERVER.exec(line) ?? [];
    const address = server === undefined ? undefined : addressOf(server);
    // One of the host's own is asked in no way that could fail on the wire.
    if (address === undefined || way === "Local") continue;
    services.at(-1)?.servers.push({
      address,
      port: Number.parseInt(serverPort!, 16),
      forwarding: FORWARDING[way as keyof typeof FORWARDING],
      weight: Number(weight),
    });
  }
  return services;
}

const FORWARDING = {
  Masq: { kind: "masquerade" },
  Route: { kind: "route" },
  Tunnel: { kind: "tunnel", encapsulation: "ipip" },
} as const;

function addressOf(text: string): Address | undefined {
  if (text.startsWith("[")) return Address.parse(text.slice(1, -1));
  return Address.inet(Number.parseInt(text, 16) | 0);
}
