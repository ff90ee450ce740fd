/** One engine a network namespace: two would take each other's packets and interfaces. */
import { once } from "node:events";
import { createServer } from "node:net";

/** An abstract unix socket (unix(7)): its name is the network namespace's own, and goes with its process. */
const NAME = "\0sluice-userspace-engine";

/** Another engine runs in this network namespace. */
export class NamespaceTakenError extends Error {
  override readonly name = "NamespaceTakenError";
}

/** Claims the current network namespace until it is disposed. Throws a NamespaceTakenError when somebody else has it. */
export async function claimNamespace(): Promise<AsyncDisposable> {
  const server = createServer((socket) => socket.destroy());
  server.listen(NAME);
  try {
    await once(server, "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new NamespaceTakenError(
      "Cannot move packets here: another Sluice does already, in this network namespace",
    );
  }
  server.unref();
  return {
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
