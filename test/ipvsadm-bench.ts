/** ipvsadm run in this process, against an API of its own and with names that no system can change. */

import { run, type Surroundings } from "../src/cli/ipvsadm/run.ts";
import { TEST_NAMES } from "./names.ts";

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
