/** What a sluice.yaml may say of addresses that Sluice itself adds to an interface. */
import { z } from "zod";
import { expecting, flag, integer, keyed, text } from "../base/schema-terms.ts";
import { period } from "../health/settings-terms.ts";
import { INTERFACE_NAME_LENGTH_MAX } from "../ipvs/desired/vip.ts";
import { parsePrefix } from "../net/prefix.ts";

const A_VIP =
  "an address, with a prefix if it is not alone on the interface, such as 192.0.2.10/24";

function name(what: string) {
  const expected = `${what} of at most ${INTERFACE_NAME_LENGTH_MAX} characters`;
  return text(expected).max(INTERFACE_NAME_LENGTH_MAX, expecting(expected));
}

const periodOrNone = z.union([z.literal(0), period]);

const announcing = keyed({
  count: integer(1, 100).optional().describe("Messages in one go. Default: 5."),
  again: periodOrNone.optional().describe("After so long as many once more; 0: not. Default: 5s."),
  refresh: periodOrNone
    .optional()
    .describe("One every so often, for neighbours that forget or are misled; 0: none. Default: 0."),
}).meta({ id: "announce" });

export const vip = keyed({
  address: text(A_VIP)
    .refine((value) => parsePrefix(value) !== undefined, expecting(A_VIP))
    .describe("The address; `/24` and such is its network's. Without: `/32`, IPv6 `/128`."),
  interface: name("an interface's name").describe(
    "Where it is added. One that is not there, or not up, is waited for.",
  ),
  label: name("a label").optional().describe("IPv4: by which `ip` and `ifconfig` show it."),
  announce: z
    .union([flag(), announcing], expecting("true, false, or such as {refresh: 60s}"))
    .optional()
    .describe(
      "Whether neighbours are told where it is, when it is added and when its interface comes up: by gratuitous ARP, with IPv6 by unsolicited neighbour advertisements. Default: true.",
    ),
}).meta({ id: "vip" });
