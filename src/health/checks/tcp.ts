/** Whether a connection is accepted. */
import { connectTcp, owned } from "./connection.ts";
import { checker } from "./probe.ts";

export const tcp = checker<object>(async (target, _settings, signal) => {
  using _ = owned(await connectTcp(target, signal));
  return { up: true, why: "connected" };
});
