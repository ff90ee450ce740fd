/** The dashboard, as somebody uses it who has a browser and a director with traffic. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { V } from "../e2e/network.ts";
import {
  firstFrameMs,
  inaccessible,
  openBrowser,
  openPage,
  type PageOptions,
  SIZES,
  scriptBytes,
} from "./browser.ts";
import { buildPages, type Director, openDirector } from "./director.ts";

/** What a first look may load: more would be felt on a slow line. */
const SCRIPT_MAX_BYTES = 250_000;
const PLACES = ["services", "packets", "connections", "events", "changes"] as const;

let director: Director;
let browser: Browser;
let page: Page;
let complaints: readonly string[] = [];

beforeAll(async () => {
  buildPages();
  [director, browser] = await Promise.all([openDirector(), openBrowser()]);
  director.ask();
});

afterAll(async () => {
  await browser?.close();
  await director?.[Symbol.asyncDispose]();
});

afterEach(async () => {
  await page.context().close();
});

/** Opens a page by a link of its own, and waits until it shows the director's services. */
async function look(options: PageOptions = {}, link = director.link()): Promise<void> {
  ({ page, complaints } = await openPage(browser, await link, options));
  await page.getByRole("link", { name: `tcp:${V}:80`, exact: true }).waitFor();
}

async function visit(place: string): Promise<void> {
  await page.evaluate((fragment) => {
    location.hash = fragment;
  }, `#/${place}`);
  await page.getByRole("heading").first().waitFor();
}

test("shows services, servers, their health and what passes by", async () => {
  await look();
  const row = page.getByRole("row", { name: `tcp:${V}:80` });
  await expect.poll(() => row.innerText()).toMatch(/web[\s\S]*wlc[\s\S]*up/);
  await expect.poll(() => row.locator(".c5").innerText()).toMatch(/^[1-9]/);
  await expect.poll(() => page.getByRole("row", { name: ":8081" }).innerText()).toMatch(/down/);
  await expect.poll(() => page.locator(".live").innerText()).toBe("live");
  const { decoded: bytes } = await scriptBytes(page);
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThan(SCRIPT_MAX_BYTES);
  process.stdout.write(
    `dashboard: first frame after ${Math.round(await firstFrameMs(page))} ms, ${Math.round(bytes / 1000)} kB of script\n`,
  );
  await visit("packets");
  await page.getByText("forward-masquerade").waitFor();
  await visit("events");
  await page.getByText("director-runs").waitFor();
  await visit("connections");
  await page.getByRole("button", { name: "TIME_WAIT" }).click();
  await expect.poll(() => page.getByLabel("State", { exact: true }).inputValue()).toBe("TIME_WAIT");
  expect(complaints).toEqual([]);
});

test("by keys alone: filter, choose, open, leave", async () => {
  await look();
  await page.keyboard.press("/");
  await page.keyboard.type("shop");
  await expect
    .poll(() => page.getByRole("link", { name: `tcp:${V}:80`, exact: true }).count())
    .toBe(0);
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: `tcp:${V}:81` }).waitFor();
  await page.keyboard.press("Escape");
  await expect.poll(() => page.getByRole("heading", { name: `tcp:${V}:81` }).count()).toBe(0);
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
  await page.keyboard.press("2");
  await page.getByRole("heading", { name: "Where do my packets go?" }).waitFor();
});

test("changes nothing before it is unlocked, and nothing that was not seen before", async () => {
  await look();
  await page.getByRole("link", { name: `tcp:${V}:80`, exact: true }).click();
  await page.getByRole("heading", { name: "Servers", exact: true }).waitFor();
  expect(await page.getByRole("button", { name: "Drain" }).count()).toBe(0);
  await page.getByRole("switch", { name: "Read only" }).click();
  const server = page.getByRole("listitem").filter({ hasText: "10.1.0.22:80" });
  await server.getByLabel("Weight").fill("9");
  await server.getByRole("button", { name: "Propose", exact: true }).click();
  await page.getByRole("link", { name: "See what it would change" }).click();
  await expect.poll(() => page.locator(".planned").innerText()).toMatch(/weight 3 → 9/);
  expect(director.home.ipvsadm("-Ln").stdout).toMatch(/10\.1\.0\.22:80 +Masq +3 /);
  await page.getByRole("button", { name: "Apply" }).click();
  await expect.poll(() => director.home.ipvsadm("-Ln").stdout).toMatch(/10\.1\.0\.22:80 +Masq +9 /);
  await expect.poll(() => page.locator(".history").innerText()).toMatch(/dashboard/);

  await visit(`services/tcp%3A${V}%3A80`);
  await server.getByRole("button", { name: "Drain" }).click();
  await server.getByText("draining").waitFor();
  await server.getByRole("button", { name: "Undrain" }).click();
  await expect.poll(() => server.innerText()).not.toMatch(/draining/);
  expect(complaints).toEqual([]);
});

test("a service and its server come by forms, and not before their plan was seen", async () => {
  await look();
  expect(await page.getByText("A new service").count()).toBe(0);
  await page.getByRole("switch", { name: "Read only" }).click();
  await page.getByText("A new service").click();
  const form = page.getByRole("form", { name: "A new service" });
  await form.getByLabel("Address, or a firewall mark").fill("web");
  await form.getByRole("button", { name: "Propose" }).click();
  await page.getByRole("alert").getByText("web: expected an address").waitFor();
  await form.getByLabel("Address, or a firewall mark").fill(V);
  await form.getByLabel("Port").fill("8443");
  await form.getByLabel("Scheduler").selectOption("sed");
  await form.getByRole("button", { name: "Propose" }).click();
  await page.getByRole("heading", { name: "Proposed changes" }).waitFor();
  await page.getByText("A new server").click();
  const server = page.getByRole("form", { name: "A new server" });
  await server.getByLabel("Address").fill("10.1.0.22");
  await server.getByLabel("Forwarding").selectOption("masquerade");
  await server.getByRole("button", { name: "Propose" }).click();
  await expect.poll(() => page.locator(".planned").innerText()).toMatch(/8443[\s\S]*10\.1\.0\.22/);
  expect(await inaccessible(page)).toEqual([]);
  expect(director.home.ipvsadm("-Ln").stdout).not.toContain(":8443");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect
    .poll(() => director.home.ipvsadm("-Ln").stdout)
    .toMatch(/:8443 sed\n +-> 10\.1\.0\.22:8443 +Masq +1 /);
  await visit(`services/tcp%3A${V}%3A8443`);
  await page.getByRole("button", { name: "Propose to remove the service" }).click();
  await page.getByRole("link", { name: "See what it would change" }).click();
  await page.getByRole("button", { name: "Apply" }).click();
  await expect.poll(() => director.home.ipvsadm("-Ln").stdout).not.toContain(":8443");
  expect(complaints).toEqual([]);
});

test("in Chinese, too", async () => {
  await look({ locale: "zh-CN" });
  await page.getByRole("columnheader", { name: "服务、服务器" }).waitFor();
  await page.getByText("新建连接", { exact: true }).first().waitFor();
  await visit("packets");
  await page.getByRole("heading", { name: "我的数据包去了哪里？" }).waitFor();
  await page.getByText("转发给服务器，地址已改写 (-m)").waitFor();
  await visit("changes");
  await page.getByRole("heading", { name: "提议的变更" }).waitFor();
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("heading", { name: "Proposed changes" }).waitFor();
  expect(complaints).toEqual([]);
});

test("explains where a client's next connection would go", async () => {
  await look();
  await visit(`services/tcp%3A${V}%3A80`);
  await page.getByLabel("The next connection of").fill("10.9.0.77");
  await page.getByRole("button", { name: "goes where?" }).click();
  await page.getByText(/10\.1\.0\.2[12]:80 gets it/).waitFor();
  await page.getByLabel("The next connection of").fill("nonsense");
  await page.getByRole("button", { name: "goes where?" }).click();
  await page.getByText("expected an address").waitFor();
  expect(complaints).toEqual([]);
});

test("who may only look is told so", async () => {
  await look({}, director.otherLink("--read-only"));
  await page.getByRole("link", { name: `tcp:${V}:80`, exact: true }).click();
  await page.getByRole("switch", { name: "Read only" }).click();
  await page.getByRole("button", { name: "Drain" }).first().click();
  await page.getByText("--read-only").waitFor();
});

test("a link works once", async () => {
  const link = await director.link();
  ({ page } = await openPage(browser, link));
  await page.getByRole("link", { name: `tcp:${V}:80`, exact: true }).waitFor();
  expect(page.url()).not.toContain("ticket");
  await page.reload();
  await page.getByRole("link", { name: `tcp:${V}:80`, exact: true }).waitFor();
  await page.context().close();
  ({ page } = await openPage(browser, link));
  await page.getByRole("heading", { name: "A token, please" }).waitFor();
});

test.each([
  ["desk", "light"],
  ["phone", "dark"],
] as const)("everybody can use it: %s, %s", async (size, theme) => {
  await look({ size: SIZES[size], theme });
  expect(await inaccessible(page)).toEqual([]);
  await page.getByRole("switch", { name: "Read only" }).click();
  await visit(`services/tcp%3A${V}%3A80`);
  await page.getByRole("button", { name: "Drain" }).first().waitFor();
  expect(await inaccessible(page)).toEqual([]);
  for (const place of PLACES.slice(1)) {
    await visit(place);
    expect([place, await inaccessible(page)]).toEqual([place, []]);
    // Nothing is wider than what one sees.
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect([place, width]).toEqual([place, SIZES[size].width]);
  }
});

test("ten thousand servers are as quick as ten", async () => {
  await director.addServers(10_000);
  await look();
  await page.getByText(/10,00\d servers/).waitFor();
  const list = page.getByRole("table", { name: "Services and servers" });
  await list.evaluate((element) => element.scrollTo(0, element.scrollHeight));
  await list.getByText("10.1.199.100:80").waitFor();
  expect(await list.getByRole("row").count()).toBeLessThan(100);
  // A person's filter finds one of them.
  await page.getByLabel("Filter services and servers").fill("10.1.120.77");
  await list.getByText("10.1.120.77:80").waitFor();
  expect(await list.getByRole("row").count()).toBe(3);
  expect(complaints).toEqual([]);
});
