import { expect, test } from "vitest";
import { pageAt } from "./pages.ts";

test.each([
  "../../../package.json",
  "..",
  "x/y.js",
  ".sources",
  "no-such.js",
  "",
  "%2e%2e",
  "index.html.br",
])("%j is a page that was built, or none", async (path) => {
  const page = await pageAt(path);
  if (path !== "") expect(page.status).toBe(404);
  else expect([200, 404]).toContain(page.status);
});
