import { expect, test } from "vitest";
import { formatRoute, parseRoute } from "../frame/route.ts";
import { formatLink, type Linked, parseLink } from "./link.ts";

const links: Linked[] = [
  {
    lesson: undefined,
    setting: { scenario: "nat", isBuilt: false, seed: 7, family: "inet6" },
    lines: [],
  },
  {
    lesson: "vip-down",
    setting: { scenario: "dr", isBuilt: true, seed: 1, family: "inet" },
    lines: [
      { host: "node02", line: "ifconfig lo:2 down" },
      {
        host: "client",
        line: 'for i in 1 2; do curl -m 2 "http://192.168.150.100/?a=1&b=2#c"; done',
      },
    ],
  },
];

test.each(links)("%j comes back from its link", (linked) => {
  const fragment = formatRoute(["laboratory"], formatLink(linked));
  expect(parseLink(parseRoute(fragment).query)).toEqual(linked);
});

test.each(["{", "7", '{"a":1}', '[["client"]]', "[7,null]", '[["client",7]]'])(
  "%s is no line, and nothing breaks",
  (typed) => {
    expect(parseLink({ typed, seed: "-1", lab: "nonsense" })).toEqual({
      lesson: undefined,
      setting: { scenario: "dr", isBuilt: true, seed: 1, family: "inet" },
      lines: [],
    });
  },
);
