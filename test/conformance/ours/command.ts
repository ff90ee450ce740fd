/** Commands of ours as they run in this process: what they write is kept. */
import type { run as runIpvsadm } from "../../../src/cli/ipvsadm/run.ts";
import { GUEST_NAMES } from "./guest-names.ts";

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `socket`: where the daemon listens. */
export async function runCommand(
  run: typeof runIpvsadm,
  words: readonly string[],
  stdin: string,
  socket: string,
): Promise<Ran> {
  let stdout = "";
  let stderr = "";
  const exitCode = await run(words, {
    environment: { SLUICE_SOCKET: socket },
    names: GUEST_NAMES,
    stdin: (async function* () {
      yield stdin;
    })(),
    write: async (text) => {
      stdout += text;
    },
    complain: (text) => {
      stderr += text;
    },
  });
  return { exitCode, stdout, stderr };
}
