/** No attack but an operator at work: requests go on while services change. */
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "../../../src/api/client.ts";
import type { Attack } from "../attack.ts";
import { manyServer, manyService, SERVERS_OF_MANY } from "../stage.ts";

const SERVICES = 1_000;
const CHANGES_MADE = 200;
const INTERVAL_MS = 20;

export const CHANGES: readonly Attack[] = [
  {
    name: "changes",
    title: `${CHANGES_MADE} changes, one by one, at ${SERVICES} services with ${SERVERS_OF_MANY} servers each`,
    mayFail: 0.01,
    stage: { services: SERVICES },
    async carryOut({ home }) {
      const client = new Client(home.socket);
      for (let change = 0; change < CHANGES_MADE; change++) {
        const destination = manyServer(change % SERVERS_OF_MANY);
        const endpoint = manyService((change * 7) % SERVICES);
        await client.call(
          "editDestination",
          { service: { kind: "endpoint", protocol: "tcp", endpoint }, destination },
          {
            endpoint: destination,
            forwarding: { kind: "masquerade" },
            weight: 2 + (change % 5),
            upperThreshold: 0,
            lowerThreshold: 0,
          },
        );
        await sleep(INTERVAL_MS);
      }
      client.close();
      return `${CHANGES_MADE} changes`;
    },
  },
  reloadWith("userspace"),
  reloadWith("kernel"),
];

function reloadWith(engine: "userspace" | "kernel"): Attack {
  const isKernel = engine === "kernel";
  const count = isKernel ? CHANGES_MADE : SERVICES;
  return {
    name: isKernel ? "reload-kernel" : "reload",
    title: `whole configurations of ${count} services, ${CHANGES_MADE} of them changed in each, engine ${engine}`,
    mayFail: 0.01,
    stage: { services: count, daemonOptions: ["--engine", engine] },
    async carryOut({ home }, { isShort }) {
      const client = new Client(home.socket);
      const reloads = isShort ? 2 : 10;
      for (let reload = 0; reload < reloads; reload++) {
        const { settings, services } = await client.configuration();
        // Those of the ordinary clients, at the beginning, stay as they are.
        const changed = services.map((service, index) => {
          if (index < services.length - CHANGES_MADE) return service;
          const [first, ...others] = service.destinations;
          return { ...service, destinations: [{ ...first!, weight: 2 + reload }, ...others] };
        });
        const { changes } = await client.configure("apply", { settings, services: changed });
        if (changes.length !== CHANGES_MADE) throw new Error(`${changes.length} changes were made`);
      }
      client.close();
      return `${reloads} reloads, ${CHANGES_MADE} changes each`;
    },
  };
}
