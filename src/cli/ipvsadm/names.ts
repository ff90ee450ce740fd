/** Names of hosts and of ports, as the system knows them: /etc/hosts, DNS and /etc/services. */
import { readFileSync } from "node:fs";
import type { Protocol } from "../../ipvs/desired/service.ts";
import { Address } from "../../net/address.ts";
import type { Names } from "./naming.ts";

const SERVICES_FILE = "/etc/services";

/** Asks the system. DNS and the file are loaded at the first question: most command lines have none. */
export class SystemNames implements Names {
  readonly #hosts = new Map<string, string | undefined>();
  #services: Services | undefined;

  async addressOf(host: string): Promise<Address | undefined> {
    const { lookup } = await import("node:dns/promises");
    try {
      const { address } = await lookup(host, { family: 4 });
      return Address.parse(address);
    } catch {
      return undefined;
    }
  }

  async hostOf(address: Address): Promise<string | undefined> {
    const text = address.toString();
    if (!this.#hosts.has(text)) this.#hosts.set(text, await reverse(text));
    return this.#hosts.get(text);
  }

  portOf(service: string, protocol: Protocol): number | undefined {
    return this.#read().ports.get(`${service}/${protocol}`);
  }

  serviceOf(port: number, protocol: Protocol): string | undefined {
    return this.#read().names.get(`${port}/${protocol}`);
  }

  #read(): Services {
    this.#services ??= parseServices(readServicesFile());
    return this.#services;
  }
}

interface Services {
  /** By `name/protocol`, aliases included. */
  readonly ports: ReadonlyMap<string, number>;
  /** By `port/protocol`. */
  readonly names: ReadonlyMap<string, string>;
}

/** services(5): `http 80/tcp www # WorldWideWeb`. The first line of a name or of a port wins. */
export function parseServices(text: string): Services {
  const ports = new Map<string, number>();
  const names = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [name, at = "", ...aliases] = (line.split("#")[0] ?? "").trim().split(/\s+/);
    const [, digits, protocol] = /^(\d+)\/(\w+)$/.exec(at) ?? [];
    if (name === undefined || digits === undefined || protocol === undefined) continue;
    if (!names.has(at)) names.set(at, name);
    for (const alias of [name, ...aliases]) {
      const key = `${alias}/${protocol}`;
      if (!ports.has(key)) ports.set(key, Number(digits));
    }
  }
  return { ports, names };
}

function readServicesFile(): string {
  try {
    return readFileSync(SERVICES_FILE, "utf8");
  } catch {
    // Without the file nothing has a name, as for getservbyname().
    return "";
  }
}

async function reverse(address: string): Promise<string | undefined> {
  const { lookupService } = await import("node:dns/promises");
  try {
    const { hostname } = await lookupService(address, 0);
    return hostname === address ? undefined : hostname;
  } catch {
    return undefined;
  }
}
