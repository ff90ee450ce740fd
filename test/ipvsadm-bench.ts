/** ipvsadm run in this process, against an API of its own and with names that no system can change. */

import type { Names } from "../src/cli/ipvsadm/names.ts";
import { run, type Surroundings } from "../src/cli/ipvsadm/run.ts";
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

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `words` may hold double quotes, for words with blanks and empty ones. */
export async function ipvsadm(socketPath: string, words: string, stdin = ""): Promise<Outcome> {
  let stdout = "";
  let stderr = "";
  const around: Surroundings = {
    environment: { SLUICE_SOCKET: socketPath },
    names: TEST_NAMES,
    stdin: (async function* () {
      yield stdin;
    })(),
    write: async (text) => {
      stdout += text;
    },
    complain: (text) => {
      stderr += text;
    },
  };
  const split = [...words.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
  const exitCode = await run(split, around);
  return { exitCode, stdout, stderr };
}
