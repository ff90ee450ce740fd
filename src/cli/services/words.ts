/** What the commands about services share. */
import type { Client } from "../../api/client.ts";
import { formatServiceId } from "../../api/ids.ts";
import type { FileContent } from "../../configuration/schema.ts";
import { contentOf } from "../../configuration/write.ts";
import { wantedServiceFromWire, wantedSettingsFromWire } from "../../control/wanted-wire.ts";
import { keyToWire, type WireServiceStatus } from "../../control/wire.ts";
import type { WantedState } from "../../ipvs/desired/wanted.ts";
import { serviceKeyNames, serviceNames } from "../names.ts";

export interface Standing {
  readonly services: readonly WireServiceStatus[];
  /** By ids. */
  readonly names: ReadonlyMap<string, string>;
}

/** Services in the order of their ids, with what they are called. */
export async function standing(client: Client): Promise<Standing> {
  const { services } = await client.call("listServices", {}, undefined);
  const names = await serviceNames(client);
  const byId = (one: WireServiceStatus, other: WireServiceStatus): number =>
    formatServiceId(one.key).localeCompare(formatServiceId(other.key), "en", { numeric: true });
  return { services: services.toSorted(byId), names };
}

/** What is wanted, as a file would say it: all, or one service with its id. */
export async function contentStanding(client: Client, id?: string): Promise<FileContent> {
  const { settings, services } = await client.configuration();
  const names = await serviceKeyNames(client);
  const all: WantedState = {
    ...wantedSettingsFromWire(settings),
    file: { source: "", drift: "keep", names },
    services: services.map(wantedServiceFromWire),
  };
  if (id === undefined) return contentOf(all);
  const one = all.services.filter(({ spec }) => formatServiceId(keyToWire(spec.key)) === id);
  return contentOf({ ...all, timeouts: {}, sysctls: {}, vips: undefined, services: one });
}
