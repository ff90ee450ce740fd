/** A daemon's inside on a test bench: an engine without packets, control, and the API on a real unix socket. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "../src/api/client.ts";
import { listen } from "../src/api/listen.ts";
import { createServer } from "../src/api/server.ts";
import { Control } from "../src/control/control.ts";
import { Events } from "../src/control/events.ts";
import { peerOf } from "../src/daemon/peer-credentials.ts";
import { MemoryEngine } from "./memory-engine.ts";
import { quietStatus } from "./quiet-status.ts";

export interface ApiBench extends AsyncDisposable {
  readonly engine: MemoryEngine;
  readonly control: Control;
  readonly server: ReturnType<typeof createServer>;
  readonly events: Events;
  readonly client: Client;
  readonly socketPath: string;
  /** What the server could not explain to its caller. */
  readonly bugs: unknown[];
}

export async function openApiBench(): Promise<ApiBench> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-api-"));
  const socketPath = join(directory, "sluice.sock");
  const engine = new MemoryEngine();
  const control = await Control.start(engine);
  const events = new Events({ epoch: "bench" });
  const bugs: unknown[] = [];
  const server = createServer(control, {
    version: "0.0.0",
    pid: 1,
    status: quietStatus(engine),
    events,
    onBug: (error) => bugs.push(error),
  });
  const listening = await listen(server, socketPath, { peerOf });
  const client = new Client(socketPath);
  return {
    engine,
    control,
    server,
    events,
    client,
    socketPath,
    bugs,
    async [Symbol.asyncDispose]() {
      client.close();
      await listening[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}
