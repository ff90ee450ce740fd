/** One engine, and one decapsulator, a network namespace: two would take each other's packets and interfaces. */
import { once } from "node:events";
import { createServer } from "node:net";

/** Each is an abstract unix socket (unix(7)): its name is the network namespace's own, and goes with its process. */
// biome-ignore format: a table
const ROLES = {
  engine:       { name: "\0sluice-userspace-engine", attempt: "move packets" },
  decapsulator: { name: "\0sluice-decapsulator",     attempt: "take tunnel packets apart" },
} as const;

/** Another one runs in this network namespace. */
export class NamespaceTakenError extends Error {
  override readonly name = "NamespaceTakenError";
}

/** Claims the current network namespace until it is disposed. Throws a NamespaceTakenError when somebody else has it. */
export async function claimNamespace(
  role: keyof typeof ROLES = "engine",
): Promise<AsyncDisposable> {
  const { name, attempt } = ROLES[role];
  const server = createServer((socket) => socket.destroy());
  server.listen(name);
  try {
    await once(server, "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new NamespaceTakenError(
      `Cannot ${attempt} here: another Sluice does already, in this network namespace`,
    );
  }
  server.unref();
  return {
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
