/** `ip` of iproute2: address, link, route, neigh, rule. */
import type { Family } from "../../../net/address.ts";
import { type Context, immediate, type Program } from "../../shell/program.ts";
import { ipAddress } from "./address.ts";
import { EXIT, IpFailure, type IpOptions, means } from "./arguments.ts";
import { ipLink } from "./link.ts";
import { ipNeighbour } from "./neighbour.ts";
import { ipRoute } from "./route.ts";
import { ipRule } from "./rule.ts";

const USAGE = `Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
where  OBJECT := { address | link | neigh | route | rule }
       OPTIONS := { -o[neline] | -br[ief] | -4 | -6 }
`;

type IpObject = (words: readonly string[], options: IpOptions, context: Context) => void;

const OBJECTS: readonly (readonly [name: string, run: IpObject])[] = [
  ["address", ipAddress],
  ["link", ipLink],
  ["route", ipRoute],
  ["neighbour", ipNeighbour],
  ["neighbor", ipNeighbour],
  ["rule", ipRule],
];

export const ip: Program = immediate((words, context) => {
  const { out, err } = context;
  let family: Family | undefined;
  let isOneLine = false;
  let isBrief = false;
  let at = 0;
  for (; words[at]?.startsWith("-"); at++) {
    const option = words[at]!.replace(/^--/, "-");
    if (option === "-4") family = "inet";
    else if (option === "-6") family = "inet6";
    else if (option === "-f" || option === "-family")
      family = words[++at] === "inet6" ? "inet6" : "inet";
    else if (means(option, "-oneline")) isOneLine = true;
    else if (option === "-br" || option === "-brief") isBrief = true;
    else if (!["-s", "-n", "-d", "-c", "-color", "-statistics", "-details"].includes(option)) {
      err.write(`Option "${words[at]}" is unknown, try "ip -help".\n`);
      return EXIT.unknown;
    }
  }
  const [object, ...rest] = words.slice(at);
  if (object === undefined || object === "help") {
    (object === undefined ? err : out).write(USAGE);
    return object === undefined ? EXIT.unknown : 0;
  }
  const found = OBJECTS.find(([name]) => name.startsWith(object));
  if (found === undefined) {
    err.write(`Object "${object}" is unknown, try "ip help".\n`);
    return EXIT.wrong;
  }
  try {
    found[1](rest, { family, isOneLine, isBrief }, context);
    return 0;
  } catch (error) {
    if (!(error instanceof IpFailure)) throw error;
    err.write(`${error.message}\n`);
    return error.status;
  }
});
