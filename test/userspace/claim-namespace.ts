/** Claims the network namespace that it runs in, for tests: says "claimed" or why not. Ends with its standard input. */
import { claimNamespace } from "../../src/engine/host/namespace-claim.ts";

try {
  using _claim = await claimNamespace();
  process.stdout.write("claimed\n");
  for await (const _ of process.stdin);
} catch (error) {
  process.stdout.write(`${(error as Error).message}\n`);
}
