/** What services are called in the file that was applied last. */
import type { Client } from "../api/client.ts";

/** By service ids. */
export async function serviceNames(client: Client): Promise<ReadonlyMap<string, string>> {
  const { names } = await client.call("names", {}, undefined);
  return new Map(Object.entries(names));
}
