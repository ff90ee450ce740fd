import { expect, test } from "vitest";
import { formatRoute, parseRoute, type Route } from "./route.ts";

const routes: [fragment: string, route: Route][] = [
  ["", { path: [], query: {} }],
  ["#/services", { path: ["services"], query: {} }],
  ["#/services/tcp%3A10.0.0.1%3A80", { path: ["services", "tcp:10.0.0.1:80"], query: {} }],
  ["#/connections?client=10.0.0.9", { path: ["connections"], query: { client: "10.0.0.9" } }],
  ["#/services/%zz", { path: ["services", "%zz"], query: {} }],
];

test.each(routes)("%j is a place", (fragment, route) => {
  expect(parseRoute(fragment)).toEqual(route);
});

test("a place's fragment leads back to it", () => {
  const path = ["services", "udp:[2001:db8::1]:53"];
  const query = { filter: "a&b=c #/" };
  expect(parseRoute(formatRoute(path, query))).toEqual({ path, query });
});
