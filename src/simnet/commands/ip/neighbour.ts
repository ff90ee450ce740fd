/** `ip neigh`: show, add, replace, del, flush. */
import { parseMac } from "../../../net/mac-address.ts";
import { prefixContains } from "../../../net/prefix.ts";
import type { NetworkInterface } from "../../host/interface.ts";
import type { Neighbour, NeighbourState } from "../../neighbours/neighbour.ts";
import type { Context } from "../../shell/program.ts";
import {
  Arguments,
  addressIn,
  EXIT,
  IpFailure,
  type IpOptions,
  interfaceOf,
  means,
  prefixIn,
  refused,
} from "./arguments.ts";

const STATES: Readonly<Record<string, NeighbourState>> = {
  permanent: "PERMANENT",
  reachable: "REACHABLE",
  stale: "STALE",
  delay: "DELAY",
  probe: "PROBE",
  failed: "FAILED",
  incomplete: "INCOMPLETE",
};

export function ipNeighbour(
  words: readonly string[],
  options: IpOptions,
  context: Context,
): undefined {
  const [verb = "show", ...rest] = words;
  if (means(verb, "show", "list")) return show(rest, options, context);
  if (means(verb, "flush")) return flush(rest, options, context);
  if (means(verb, "add", "replace", "change")) return set(verb, rest, context);
  if (means(verb, "delete")) return remove(rest, context);
  throw new IpFailure(`Command "${verb}" is unknown, try "ip neigh help".`, EXIT.unknown);
}

function filterIn(
  words: readonly string[],
  { family }: IpOptions,
  context: Context,
): (neighbour: Neighbour) => boolean {
  const args = new Arguments(words);
  let card: NetworkInterface | undefined;
  let to: ReturnType<typeof prefixIn> | undefined;
  let state: NeighbourState | undefined;
  for (let word = args.take(); word !== undefined; word = args.take()) {
    if (word === "dev") card = interfaceOf(context, args.value(word));
    else if (word === "nud") state = STATES[args.value(word)];
    else if (word === "to") to = prefixIn(args.value(word));
    else if (word !== "all" && word !== "any") to = prefixIn(word);
  }
  return (each) =>
    (card === undefined || each.interface === card) &&
    (family === undefined || each.address.family === family) &&
    (state === undefined || each.state === state) &&
    (to === undefined || prefixContains(to, each.address));
}

function show(words: readonly string[], options: IpOptions, context: Context): undefined {
  const isShown = filterIn(words, options, context);
  const args = words.indexOf("dev");
  for (const each of context.host.neighbours.list().filter(isShown)) {
    const { address, interface: card, mac, state } = each;
    const where = args >= 0 ? "" : `dev ${card.name} `;
    const whose = mac === undefined ? "" : `lladdr ${mac} `;
    context.out.write(`${address} ${where}${whose}${state} \n`);
  }
}

function flush(words: readonly string[], options: IpOptions, context: Context): undefined {
  if (words.length === 0) throw new IpFailure("Flush requires arguments.", EXIT.wrong);
  const isMeant = filterIn(words, options, context);
  context.host.neighbours.remove((each) => isMeant(each) && each.state !== "PERMANENT");
}

function set(verb: string, words: readonly string[], context: Context): undefined {
  const args = new Arguments(words);
  let address: ReturnType<typeof addressIn> | undefined;
  let dev: string | undefined;
  let mac: ReturnType<typeof parseMac>;
  let state: NeighbourState = "PERMANENT";
  for (let word = args.take(); word !== undefined; word = args.take()) {
    if (word === "dev") dev = args.value(word);
    else if (word === "lladdr") {
      const text = args.value(word);
      mac = parseMac(text);
      if (mac === undefined) throw new IpFailure(`"${text}" is invalid lladdr.`);
    } else if (word === "nud") {
      const name = args.value(word);
      const known = STATES[name];
      if (known === undefined)
        throw new IpFailure(`Error: argument "${name}" is wrong: nud state is bad`);
      state = known;
    } else if (word === "to") address = addressIn(args.value(word));
    else address = addressIn(word);
  }
  if (dev === undefined || address === undefined) {
    throw new IpFailure("Device and destination are required arguments.");
  }
  const card = interfaceOf(context, dev);
  if (mac === undefined) throw refused("Invalid argument");
  if (means(verb, "add") && context.host.neighbours.find(card, address) !== undefined) {
    throw refused("File exists");
  }
  context.host.neighbours.set(card, address, mac, state);
}

function remove(words: readonly string[], context: Context): undefined {
  const args = new Arguments(words);
  let address: ReturnType<typeof addressIn> | undefined;
  let dev: string | undefined;
  for (let word = args.take(); word !== undefined; word = args.take()) {
    if (word === "dev") dev = args.value(word);
    else if (word === "lladdr" || word === "nud") args.value(word);
    else address = addressIn(word);
  }
  if (dev === undefined || address === undefined) {
    throw new IpFailure("Device and destination are required arguments.");
  }
  const card = interfaceOf(context, dev);
  const wanted = address;
  const count = context.host.neighbours.remove(
    (each) => each.interface === card && each.address.equals(wanted),
  );
  if (count === 0) throw refused("No such file or directory");
}
