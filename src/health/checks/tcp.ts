/** Whether a connection is accepted. */
import type { Checker } from "../checker.ts";
import { connectTo, failure } from "../connect.ts";

export const tcp: Checker<object> = async (target, _settings, signal) => {
  try {
    const socket = await connectTo(target, signal);
    // A reset ends it at once on both sides: a FIN would leave one of them in TIME_WAIT for each probe.
    socket.resetAndDestroy();
    return { up: true, why: "connected" };
  } catch (error) {
    return failure(error);
  }
};
