/** A receiver that is a URL, to which each event is posted. */
import type { KeptEvent } from "../../control/events.ts";
import type { Way } from "./way.ts";

export function webhook(url: string): Way {
  return {
    // Secrets stand in paths and queries.
    name: new URL(url).origin,
    tries: 3,
    togetherMax: 1,
    takes: () => true,
    tell: ([event], signal) => post(url, event!, signal),
  };
}

async function post(
  url: string,
  event: KeptEvent,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: `{"event":${JSON.stringify(event.name)},"data":${event.text}}`,
      redirect: "error",
      signal,
    });
    await response.body?.cancel();
    return response.ok ? undefined : `it answered ${response.status}`;
  } catch (error) {
    const { message, cause } = error as Error;
    return cause instanceof Error ? cause.message : message;
  }
}
