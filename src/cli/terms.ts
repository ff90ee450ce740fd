/** `TERM=VALUE` of a command line: what is looked for among connections, or packets. */
import type { Client } from "../api/client.ts";
import { formatServiceId } from "../api/ids.ts";
import { serviceNames } from "./names.ts";
import { pickService } from "./pick-servers.ts";
import { UsageError } from "./question.ts";

/**
 * As the API's query has them. A service may be called by its name in a file. `known`: which terms there are; `read`: what a
 * value is for the API. Throws a UsageError.
 */
export async function readTerms(
  words: readonly string[],
  known: readonly string[],
  client: Client,
  read: (name: string, value: string) => string = (_, value) => value,
): Promise<Readonly<Record<string, string>>> {
  const query: Record<string, string> = {};
  for (const word of words) {
    const [, name = "", value = ""] = /^([a-z]+)=(.+)$/.exec(word) ?? [];
    if (!known.includes(name)) {
      const terms = known.map((each) => `${each}=`).join(" ");
      throw new UsageError(`${word}: expected one of ${terms}, and a value`);
    }
    if (Object.hasOwn(query, name)) throw new UsageError(`${word}: ${name} stands there twice`);
    query[name] = read(name, value);
  }
  if (query.service === undefined) return query;
  const { services } = await client.call("listServices", {}, undefined);
  const { key } = pickService(query.service, services, await serviceNames(client));
  return { ...query, service: formatServiceId(key) };
}
