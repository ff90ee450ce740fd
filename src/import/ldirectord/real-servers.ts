/** ldirectord's `real =` lines. */
import type { Names } from "../../cli/ipvsadm/naming.ts";
import type { ForwardingContent } from "../../configuration/schema.ts";
import { Address, type Family } from "../../net/address.ts";
import { addressesBetween } from "../address-range.ts";
import type { RealServer, VirtualServerKey } from "../model.ts";
import type { Notes } from "../told.ts";
import { type Checking, checksOf } from "./checks.ts";
import { placeIn } from "./places.ts";
import type { Setting } from "./sections.ts";

export const FORWARDING: Readonly<Record<string, ForwardingContent>> = {
  gate: "route",
  masq: "masquerade",
  ipip: "tunnel",
};

interface Context {
  readonly key: VirtualServerKey;
  readonly protocol: "tcp" | "udp";
  readonly isInhibited: boolean;
  readonly checking: Checking;
  readonly names: Names;
  readonly notes: Notes;
}

export async function realServersOf(
  reals: readonly Setting[],
  context: Context,
): Promise<RealServer[]> {
  const servers = new Map<string, RealServer>();
  for (const setting of reals) {
    const read = await realServers(setting, context);
    if ("why" in read) {
      context.notes.dropped(setting.at, setting.text, read.why);
      continue;
    }
    for (const server of read) {
      const key = `${server.address} ${server.port}`;
      if (servers.has(key)) context.notes.dropped(server.at, server.text, "it is there already");
      else servers.set(key, server);
    }
  }
  return [...servers.values()];
}

const REAL =
  /^(\S+?)(?:\s*->\s*(\S+))?\s+(gate|masq|ipip)(?:\s+(\d+))?(?:\s+"([^"]*)"\s*,\s*"([^"]*)")?\s*((?:<[lu]:\d+>\s*)*)$/;

/** `ADDRESS[->ADDRESS][:PORT] gate|masq|ipip [WEIGHT] ["REQUEST", "RECEIVE"] [<l:N>] [<u:N>]`. */
async function realServers(
  { at, text, value }: Setting,
  { key, protocol, isInhibited, checking, names, notes }: Context,
): Promise<RealServer[] | { readonly why: string }> {
  const [, first = "", last, method = "", weightWord = "1", request, receive, limits = ""] =
    REAL.exec(value) ?? [];
  if (method === "") {
    return { why: "expected such as 192.0.2.21:80 gate 1, with gate, masq or ipip" };
  }
  const weight = Number(weightWord);
  if (weight > 0xffff) return { why: `weight: expected an integer from 0 to 65535, got ${weight}` };
  const places = await placesOf(first, last, protocol, names);
  if ("why" in places) return places;
  const forwarding = FORWARDING[method]!;
  const isOther = places.some((each) => familyOf(each.address) !== familyOfKey(key));
  if (isOther && forwarding !== "tunnel")
    return { why: "it is of another family than the virtual service" };
  const servicePort = key.kind === "mark" ? undefined : key.port;
  const asking = {
    ...checking,
    request: request || checking.request,
    receive: receive || checking.receive,
  };
  return places.map(({ address, port }) => {
    const server = { at, address, port: forwarding === "masquerade" ? port : undefined };
    const own = forwarding === "masquerade" ? port : servicePort;
    const asked = checking.port ?? port;
    return {
      ...server,
      text,
      forwarding,
      // Without a look at them they are never used.
      weight: checking.type === "off" ? 0 : weight,
      upperThreshold: Number(/<u:(\d+)>/.exec(limits)?.[1] ?? 0),
      lowerThreshold: Number(/<l:(\d+)>/.exec(limits)?.[1] ?? 0),
      isInhibited,
      checks: checksOf({ ...asking, port: asked === own ? undefined : asked }, server, notes),
    };
  });
}

async function placesOf(
  first: string,
  last: string | undefined,
  protocol: "tcp" | "udp",
  names: Names,
): Promise<{ address: string; port: number | undefined }[] | { readonly why: string }> {
  const from = await placeIn(first, protocol, names);
  if ("why" in from || last === undefined) return "why" in from ? from : [from];
  const to = await placeIn(last, protocol, names);
  if ("why" in to) return to;
  const addresses = addressesBetween(Address.parse(from.address)!, Address.parse(to.address)!);
  if ("why" in addresses) return addresses;
  return addresses.map((address) => ({ address, port: to.port ?? from.port }));
}

function familyOf(address: string): Family {
  return Address.parse(address)!.family;
}

function familyOfKey(key: VirtualServerKey): Family {
  return key.kind === "mark" ? key.family : familyOf(key.address);
}
