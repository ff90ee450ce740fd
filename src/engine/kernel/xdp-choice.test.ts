import { expect, test } from "vitest";
import type { XdpFeatures } from "../host/xdp-features.ts";
import { chooseXdp, type XdpMode } from "./xdp-choice.ts";

const CARD = 2;
const BOTH: readonly XdpMode[] = ["native", "generic"];
const ALL: XdpFeatures = { runs: true, sends: true };
const RUNS: XdpFeatures = { runs: true, sends: false };
const NONE: XdpFeatures = { runs: false, sends: false };

// biome-ignore format: a table
const rows: [what: string, kind: string | undefined, features: XdpFeatures | undefined, modes: readonly XdpMode[], why: RegExp | undefined][] = [
  ["a card whose driver runs programs",                 undefined, ALL,       BOTH,        undefined],
  ["a card that takes no other drivers' frames",        undefined, RUNS,      BOTH,        undefined],
  ["a card whose driver runs none",                     undefined, NONE,      ["generic"], /driver runs none/],
  ["a bridge",                                          "bridge",  NONE,      ["generic"], /driver runs none/],
  ["a bond, whose program would run at its ports",      "bond",    ALL,       ["generic"], /by its ports/],
  ["a veth whose other end takes frames",               "veth",    ALL,       BOTH,        undefined],
  ["a veth whose other end takes none",                 "veth",    RUNS,      ["generic"], /other end of this veth/],
  ["a card, where the kernel does not tell",            undefined, undefined, BOTH,        undefined],
  ["a veth, where the kernel does not tell",            "veth",    undefined, ["generic"], /before Linux 6\.3/],
];

test.for(rows)("%s", ([, kind, features, modes, why]) => {
  const link = { index: CARD, kind, lower: undefined };
  const told = features && new Map([[CARD, features]]);
  const choice = chooseXdp(link, [link], told);
  expect(choice.modes).toEqual(modes);
  if (why === undefined) expect(choice.why).toBeUndefined();
  else expect(choice.why).toMatch(why);
});

test("an interface under those of VLANs stays at tc, they do not", () => {
  const card = { index: CARD, kind: undefined, lower: undefined };
  const vlan = { index: 3, kind: "vlan", lower: CARD };
  const features = new Map([[CARD, ALL]]);
  expect(chooseXdp(card, [card, vlan], features)).toMatchObject({ modes: [], why: /VLANs/ });
  expect(chooseXdp(vlan, [card, vlan], features).modes).toEqual(["generic"]);
});
