/** Names of hosts and ports that no system can change. */
import type { Names } from "../src/cli/ipvsadm/naming.ts";
import { address } from "./builders.ts";

const PORTS: Readonly<Record<string, number>> = {
  "http/tcp": 80,
  "http-alt/tcp": 8080,
  "domain/tcp": 53,
  "domain/udp": 53,
};

/** localhost, and the ports above. */
export const TEST_NAMES: Names = {
  addressOf: async (host) => (host === "localhost" ? address("127.0.0.1") : undefined),
  hostOf: async (of) => (of.isLoopback ? "localhost" : undefined),
  portOf: (service, protocol) => PORTS[`${service}/${protocol}`],
  serviceOf: (port, protocol) =>
    Object.entries(PORTS)
      .find(([name, number]) => number === port && name.endsWith(`/${protocol}`))?.[0]
      .split("/")[0],
};
