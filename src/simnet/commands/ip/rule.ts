/** `ip rule`: the tables are looked at in this order, whatever the packet. */
import type { Context } from "../../shell/program.ts";
import { EXIT, IpFailure, type IpOptions, means } from "./arguments.ts";

export function ipRule(
  [verb = "show"]: readonly string[],
  _options: IpOptions,
  { out }: Context,
): undefined {
  if (!means(verb, "show", "list")) {
    throw new IpFailure(`Command "${verb}" is unknown, try "ip rule help".`, EXIT.unknown);
  }
  out.write(
    "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n",
  );
}
