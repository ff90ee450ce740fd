/** Which servers, in which services, somebody means who says `10.0.0.2`, `10.0.0.2:80` or `tcp:10.0.0.1:80/10.0.0.2`. */
import { formatEndpointId, formatServiceId, parseEndpointId, parseServiceId } from "../api/ids.ts";
import { nearest } from "../base/nearest.ts";
import type { WireDestinationStatus, WireServiceStatus } from "../control/wire.ts";
import { keyToWire } from "../control/wire.ts";
import { Address } from "../net/address.ts";
import { UsageError } from "./question.ts";

export interface PickedServer {
  readonly service: WireServiceStatus;
  readonly destination: WireDestinationStatus;
}

/** `tcp:10.0.0.1:80 -> 10.0.0.2:80`. */
export function nameOf({ service, destination }: PickedServer): string {
  return `${formatServiceId(service.key)} -> ${formatEndpointId(destination.endpoint)}`;
}

/** `names` are what services are called, by their ids. Throws a UsageError when nothing is meant. */
export function pickServers(
  word: string,
  services: readonly WireServiceStatus[],
  names: ReadonlyMap<string, string> = new Map(),
): readonly PickedServer[] {
  const slash = word.lastIndexOf("/");
  const among = slash < 0 ? services : [pickService(word.slice(0, slash), services, names)];
  const isMeant = serverTest(word.slice(slash + 1));
  const picked = among.flatMap((service) =>
    service.destinations.filter(isMeant).map((destination) => ({ service, destination })),
  );
  if (picked.length > 0) return picked;
  throw new UsageError(`${word}: no service has such a server: see sluice get`);
}

/** Throws a UsageError when there is none, or more than one. */
export function pickService(
  word: string,
  services: readonly WireServiceStatus[],
  names: ReadonlyMap<string, string> = new Map(),
): WireServiceStatus {
  // Of TCP when nobody says of what.
  const key = parseServiceId(word) ?? parseServiceId(`tcp:${word}`);
  const id = key === undefined ? undefined : formatServiceId(keyToWire(key));
  const picked = services.filter(({ key: each }) => {
    const eachId = formatServiceId(each);
    return id === undefined ? names.get(eachId) === word : eachId === id;
  });
  const [first, ...others] = picked;
  if (first === undefined) {
    throw new UsageError(`${word}: there is no such service${instead(word, services, names)}`);
  }
  if (others.length > 0) throw new UsageError(`${word}: ${picked.length} services are called so`);
  return first;
}

/** More than these are what `sluice get` is for. */
const NAMED_MAX = 5;

/** What may be meant by a word that no service is called by. */
function instead(
  word: string,
  services: readonly WireServiceStatus[],
  names: ReadonlyMap<string, string>,
): string {
  const ids = services.map(({ key }) => formatServiceId(key));
  const withServer = services.find(({ destinations }) =>
    destinations.some(({ endpoint }) =>
      [endpoint.address, formatEndpointId(endpoint)].includes(word),
    ),
  );
  if (withServer !== undefined) {
    return `: it is a server's address, which is named as ${formatServiceId(withServer.key)}/${word}`;
  }
  const meant = nearest(word, [...ids, ...names.values()]);
  if (meant !== undefined) return `, did you mean ${meant}?`;
  if (ids.length === 0) return ": there is none";
  const named = ids.slice(0, NAMED_MAX).map((id) => {
    const name = names.get(id);
    return name === undefined ? id : `${id} (${name})`;
  });
  const more = ids.length > NAMED_MAX ? ", and others: see sluice get" : "";
  return `: there are ${named.join(", ")}${more}`;
}

function serverTest(word: string): (destination: WireDestinationStatus) => boolean {
  const address = Address.parse(word);
  if (address !== undefined) {
    const text = address.toString();
    return ({ endpoint }) => endpoint.address === text;
  }
  const endpoint = parseEndpointId(word);
  if (endpoint === undefined) {
    throw new UsageError(
      `${word}: expected a server such as 10.0.0.2, 10.0.0.2:80 or [2001:db8::2]:80, or SERVICE/SERVER`,
    );
  }
  const text = endpoint.address.toString();
  return ({ endpoint: each }) => each.address === text && each.port === endpoint.port;
}
