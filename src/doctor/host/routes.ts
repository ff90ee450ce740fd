/** Where the host would send a packet. */
import { Address } from "../../net/address.ts";
import { askJson } from "./command.ts";

export type HostRoute =
  | { readonly kind: "local" }
  | { readonly kind: "none" }
  | {
      readonly kind: "out";
      readonly interfaceName: string;
      /** The gateway, or the destination itself. */
      readonly nextHop: Address;
      readonly hasGateway: boolean;
      readonly source: Address | undefined;
      readonly mtu: number | undefined;
    };

interface Told {
  readonly type?: string;
  readonly dst?: string;
  readonly gateway?: string;
  readonly via?: { readonly host?: string };
  readonly dev?: string;
  readonly prefsrc?: string;
  readonly metrics?: readonly { readonly mtu?: number }[];
}

/** `more`: what else `ip route get` shall take into account, as `mark 1`. */
export async function routeTo(target: Address, ...more: readonly string[]): Promise<HostRoute> {
  const family = target.family === "inet" ? "-4" : "-6";
  const [told] = ((await askJson(
    ...(["ip", family, "-json", "route", "get", target.toString(), ...more] as const),
  )) ?? []) as readonly Told[];
  if (told === undefined) return { kind: "none" };
  if (told.type === "local") return { kind: "local" };
  if (told.type !== undefined && told.type !== "unicast") return { kind: "none" };
  const gateway = Address.parse(told.gateway ?? told.via?.host ?? "");
  return {
    kind: "out",
    interfaceName: told.dev ?? "",
    nextHop: gateway ?? target,
    hasGateway: gateway !== undefined,
    source: Address.parse(told.prefsrc ?? ""),
    mtu: told.metrics?.[0]?.mtu,
  };
}

/** The gateway for all that is elsewhere. */
export async function defaultRoute(family: Address["family"]): Promise<HostRoute> {
  const flag = family === "inet" ? "-4" : "-6";
  const all = (await askJson("ip", flag, "-json", "route", "show", "default")) as
    | readonly Told[]
    | undefined;
  const gateway = Address.parse(all?.[0]?.gateway ?? all?.[0]?.via?.host ?? "");
  if (gateway === undefined || all?.[0]?.dev === undefined) return { kind: "none" };
  return {
    kind: "out",
    interfaceName: all[0].dev,
    nextHop: gateway,
    hasGateway: true,
    source: undefined,
    mtu: undefined,
  };
}
