/** `httpd`: a real server's web server, by Apache's words. */
import { Address } from "../../net/address.ts";
import type { Port } from "../../net/port.ts";
import type { Host } from "../host/host.ts";
import { startWebServer } from "../http/server.ts";
import { immediate, type Program } from "../shell/program.ts";
import { readOptions } from "./options.ts";

const USAGE = "usage: httpd -k start|stop|restart [-c 'Listen [ADDRESS:]PORT']\n";

/** What it says of a host, and where it listens when nothing else is said. */
export interface Site {
  readonly name: string;
  readonly port: number;
  readonly family: Address["family"];
}

const WORDS = {
  EADDRINUSE: "Address already in use: AH00072: make_sock: could not bind to address",
  EADDRNOTAVAIL: "Cannot assign requested address: AH00072: make_sock: could not bind to address",
} as const;

/** The program for hosts that have a site. */
export function httpd(siteOf: (host: string) => Site | undefined): Program {
  const running = new Map<Host, () => void>();
  return immediate((words, { host, err, out }) => {
    const { values, fault } = readOptions(words, "k:c:");
    const action = values.get("k") ?? "start";
    const site = siteOf(host.name);
    const listen = /^Listen (?:(\S+):)?(\d+)$/.exec(
      values.get("c") ?? `Listen ${site?.port ?? 80}`,
    );
    if (fault !== undefined || listen === null || !/^(start|stop|restart)$/.test(action)) {
      err.write(USAGE);
      return 2;
    }
    if (action !== "start") {
      running.get(host)?.();
      running.delete(host);
    }
    if (action === "stop") return 0;
    if (running.has(host)) {
      out.write("httpd already running\n");
      return 0;
    }
    const [, place, port] = listen;
    const address = place === undefined ? undefined : Address.parse(place.replace(/^\[|\]$/g, ""));
    const family = address?.family ?? site?.family ?? "inet";
    const name = site?.name ?? host.name;
    const stop = startWebServer(host, { name, port: Number(port) as Port, address, family });
    if (typeof stop === "string") {
      err.write(`(98)${WORDS[stop]} ${place ?? "0.0.0.0"}:${port}\n`);
      return 1;
    }
    running.set(host, stop);
    return 0;
  });
}
