/** `ip link`: show, and set up, down, mtu. */
import { BROADCAST_MAC, parseMac } from "../../../net/mac-address.ts";
import type { NetworkInterface } from "../../host/interface.ts";
import type { Context } from "../../shell/program.ts";
import {
  Arguments,
  addressIn,
  EXIT,
  IpFailure,
  type IpOptions,
  interfaceOf,
  means,
  shownInterface,
} from "./arguments.ts";

export function ipLink(words: readonly string[], options: IpOptions, context: Context): undefined {
  const [verb = "show", ...rest] = words;
  if (means(verb, "show", "list")) return show(rest, options, context);
  if (means(verb, "set")) return set(rest, context);
  if (means(verb, "add")) return add(rest, context);
  if (means(verb, "delete")) return remove(rest, context);
  throw new IpFailure(`Command "${verb}" is unknown, try "ip link help".`, EXIT.unknown);
}

/** As the kernel names it: veth and dummy know no state of their own wire but its being plugged in. */
export function operationState({ kind, isUp }: NetworkInterface): string {
  if (!isUp) return "DOWN";
  return kind === "ethernet" ? "UP" : "UNKNOWN";
}

/** The first line of an interface; `mode` is what `ip link` says more than `ip address`. */
export function headLine(card: NetworkInterface, mode = ""): string {
  const { index, name, kind, mtu, isUp } = card;
  const flags = [
    ...(kind === "loopback"
      ? ["LOOPBACK"]
      : kind === "tunnel"
        ? ["NOARP"]
        : ["BROADCAST", "MULTICAST"]),
    ...(isUp ? ["UP", "LOWER_UP"] : []),
  ];
  const queue = isUp || kind === "loopback" ? "noqueue" : "noop";
  const shown = kind === "tunnel" ? `${name}@NONE` : name;
  return `${index}: ${shown}: <${flags.join(",")}> mtu ${mtu} qdisc ${queue} state ${operationState(card)} ${mode}group default qlen 1000`;
}

export function hardwareLine({ kind, mac, tunnel }: NetworkInterface): string {
  if (tunnel !== undefined) {
    return `    link/${tunnel.kind} ${tunnel.local ?? "0.0.0.0"} brd ${tunnel.remote ?? "0.0.0.0"}`;
  }
  const isLoopback = kind === "loopback";
  return `    link/${isLoopback ? "loopback" : "ether"} ${mac} brd ${isLoopback ? mac : BROADCAST_MAC}`;
}

function show(
  words: readonly string[],
  { isOneLine, isBrief }: IpOptions,
  context: Context,
): undefined {
  const { host, out } = context;
  const name = words.filter((word) => word !== "dev" && word !== "up")[0];
  const shown = name === undefined ? host.interfaces : [shownInterface(context, name)];
  for (const card of shown) {
    if (words.includes("up") && !card.isUp) continue;
    if (isBrief) {
      const flags = /<.*>/.exec(headLine(card))![0];
      out.write(
        `${card.name.padEnd(16)} ${operationState(card).padEnd(14)} ${card.mac} ${flags} \n`,
      );
      continue;
    }
    const between = isOneLine ? "\\" : "\n";
    out.write(`${headLine(card, "mode DEFAULT ")}${between}${hardwareLine(card)}\n`);
  }
}

function set(words: readonly string[], context: Context): undefined {
  const { host } = context;
  const args = new Arguments(words);
  if (args.next === "dev") args.take();
  const card = interfaceOf(context, args.value("dev"));
  for (let word = args.take(); word !== undefined; word = args.take()) {
    if (word === "up") host.addresses.up(card);
    else if (word === "down") host.addresses.down(card);
    else if (word === "mtu") card.mtu = mtuIn(args.value(word));
    // What cards leave to their drivers is nothing here.
    else if (/^g[sr]o_|^txqueuelen$|^qlen$/.test(word)) args.value(word);
    else if (word === "arp" || word === "promisc" || word === "multicast") args.value(word);
    else
      throw new IpFailure(
        `Error: either "dev" is duplicate, or "${word}" is a garbage.`,
        EXIT.unknown,
      );
  }
}

function mtuIn(text: string): number {
  const mtu = Number(text);
  if (!Number.isInteger(mtu))
    throw new IpFailure(`Error: argument "${text}" is wrong: Invalid "mtu" value`);
  if (mtu < 68 || mtu > 65_535) {
    const side = mtu < 68 ? "less than device minimum" : "greater than device maximum";
    throw new IpFailure(`Error: mtu ${side}.`, EXIT.refused);
  }
  return mtu;
}

const TUNNEL_FORMS = { ipip: "ip", ip6tnl: "ip", gre: "gre", ip6gre: "gre" } as const;
const TUNNEL_MTU = { ipip: 1_480, ip6tnl: 1_452, gre: 1_476, ip6gre: 1_448 } as const;

/** Tunnels' ends alone: `ip link add tunl0 type ipip remote any local any`. */
function add(words: readonly string[], context: Context): undefined {
  const { host } = context;
  const args = new Arguments(words);
  let name: string | undefined;
  let kind: keyof typeof TUNNEL_FORMS | undefined;
  const ends = {
    local: undefined as ReturnType<typeof addressIn> | undefined,
    remote: undefined as ReturnType<typeof addressIn> | undefined,
  };
  for (let word = args.take(); word !== undefined; word = args.take()) {
    if (word === "name" || word === "dev") name = args.value(word);
    else if (word === "type") {
      const type = args.value(word);
      if (!Object.hasOwn(TUNNEL_FORMS, type))
        throw new IpFailure("Error: Unknown device type.", EXIT.refused);
      kind = type as keyof typeof TUNNEL_FORMS;
    } else if (word === "local" || word === "remote") {
      const text = args.value(word);
      if (text !== "any") ends[word] = addressIn(text);
    } else if (word === "external" || word === "nopmtudisc") continue;
    else name ??= word;
  }
  if (name === undefined || kind === undefined) {
    throw new IpFailure(`Not enough information: "type" argument is required`);
  }
  if (host.interface(name) !== undefined)
    throw new IpFailure("RTNETLINK answers: File exists", EXIT.refused);
  const mac = parseMac("00:00:00:00:00:00")!;
  host.addInterface({
    name,
    kind: "tunnel",
    mac,
    mtu: TUNNEL_MTU[kind],
    tunnel: { kind, takes: [TUNNEL_FORMS[kind]], ...ends },
  });
}

function remove(words: readonly string[], context: Context): undefined {
  const name = words.filter((word) => word !== "dev")[0] ?? "";
  const card = interfaceOf(context, name);
  if (card.kind !== "tunnel")
    throw new IpFailure("RTNETLINK answers: Operation not supported", EXIT.refused);
  context.host.removeInterface(card);
}
