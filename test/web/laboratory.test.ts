/** The laboratory in the page, as somebody uses it who has never seen LVS: by its lessons, with clicks and keys. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { untilPrinted } from "../userspace/namespaces.ts";
import {
  firstFrameMs,
  inaccessible,
  openBrowser,
  openPage,
  type PageOptions,
  SIZES,
  scriptBytes,
} from "./browser.ts";
import { buildPages } from "./director.ts";

const ROOT = resolve(import.meta.dirname, "../..");
/** As they are, before anything packs them for the wire. */
const SCRIPT_MAX_BYTES = 250_000;

let server: ChildProcessWithoutNullStreams;
let base: string;
let browser: Browser;
let page: Page;
let complaints: readonly string[] = [];

beforeAll(async () => {
  buildPages();
  server = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", "scripts/web.ts"], {
    cwd: ROOT,
  });
  const printed = await untilPrinted(server, "\n");
  [base] = /http:\/\/[^/]+/.exec(printed)!;
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  server?.kill();
});

afterEach(async () => {
  await page.context().close();
});

async function visit(place: string, options: PageOptions = {}): Promise<void> {
  ({ page, complaints } = await openPage(browser, `${base}/#/laboratory${place}`, options));
  await page.getByRole("tab", { name: "node03" }).waitFor();
}

const typeIt = () => page.getByRole("button", { name: "Type it" });

/** Lets the lesson type whatever it wants typed, until it is done. */
async function walk(): Promise<void> {
  for (;;) {
    await typeIt().or(page.locator(".lesson-done")).first().waitFor();
    if ((await page.locator(".lesson-done").count()) > 0) return;
    const before = await page.locator(".tick").count();
    await typeIt().click();
    await expect.poll(() => page.locator(".tick").count()).toBe(before + 1);
  }
}

test("from an empty page to why node02 does not answer, by the lessons alone", async () => {
  await visit("");
  const { decoded, transferred } = await scriptBytes(page);
  expect(transferred).toBeGreaterThan(10_000);
  expect(decoded).toBeLessThan(SCRIPT_MAX_BYTES);
  process.stdout.write(
    `laboratory: first frame after ${Math.round(await firstFrameMs(page))} ms, ${Math.round(transferred / 1000)} kB of script on the wire, ${Math.round(decoded / 1000)} kB\n`,
  );
  await walk();
  await page.getByRole("link", { name: "Direct routing, by hand" }).click();
  await page.getByRole("heading", { name: "Direct routing, by hand" }).waitFor();
  await walk();
  await page.getByRole("link", { name: "Why does node02 not answer?" }).click();
  await page.getByRole("heading", { name: "Why does node02 not answer?" }).waitFor();
  await walk();
  await page.getByText("VIP missing on the real server").waitFor();
  expect(complaints).toEqual([]);
});

test("where no director is, the page is the laboratory, and what a director shows is said to be missing", async () => {
  ({ page, complaints } = await openPage(browser, base));
  await page.getByRole("heading", { name: "Four hosts on one wire" }).waitFor();
  await page.getByRole("link", { name: "Services", exact: true }).click();
  await page.getByRole("heading", { name: "No director here" }).waitFor();
});

test("by keys: a line is typed, its frames go by, a step back is a step back", async () => {
  await visit("?lab=dr");
  const line = page.getByRole("textbox", { name: "Terminal, client" });
  await line.fill("curl -sS http://192.168.150.100/");
  await line.press("Enter");
  await page
    .getByRole("log", { name: "Terminal, client" })
    .getByText("from 192.168.150.1")
    .waitFor();
  await page.keyboard.press("Escape");
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe("BODY");
  await page
    .getByRole("button", { name: "Pause" })
    .or(page.getByRole("button", { name: "Play" }))
    .first()
    .waitFor();
  if (await page.getByRole("button", { name: "Pause" }).count()) await page.keyboard.press(" ");
  const ofDirector = page.getByRole("row", { name: /^node01 SYN 192/ });
  await ofDirector.getByRole("button").click();
  // The director's frame: other MAC addresses, the same packet.
  await expect
    .poll(() => page.locator(".layers [data-changed] dt").allInnerTexts())
    .toEqual(["to", "from", "time to live"]);
  const shown = await page.locator(".player output").innerText();
  await page.keyboard.press("ArrowLeft");
  await expect.poll(() => page.locator(".player output").innerText()).not.toBe(shown);
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => page.locator(".player output").innerText()).toBe(shown);
  await line.focus();
  await line.press("ArrowUp");
  await expect.poll(() => line.inputValue()).toBe("curl -sS http://192.168.150.100/");
  expect(complaints).toEqual([]);
});

test("tables are as they were at the step that one looks at", async () => {
  await visit("?lab=dr&bare=yes");
  const line = page.getByRole("textbox", { name: "Terminal, client" });
  await line.fill("ping -c 1 192.168.150.12");
  await line.press("Enter");
  const arp = page.getByRole("table", { name: "ARP cache" });
  await page.getByRole("button", { name: "To the end" }).click();
  await expect.poll(() => arp.innerText()).toMatch(/02:00:c0:a8:96:0c/);
  await page.getByRole("button", { name: "To the last command" }).click();
  await expect.poll(() => arp.count()).toBe(0);
});

test("a link holds everything", async () => {
  await visit("?lesson=vip-down");
  await walk();
  const link = page.url();
  const steps = await page.locator(".player output").innerText();
  const output = await page.getByRole("log").innerText();
  await page.context().close();
  await visit(link.slice(link.indexOf("?")));
  await page.locator(".lesson-done").waitFor();
  await expect.poll(() => page.getByRole("log").innerText()).toBe(output);
  expect((await page.locator(".player output").innerText()).split("/")[1]!.split(" ")[0]).toBe(
    steps.split("/")[1]!.split(" ")[0],
  );
  expect(complaints).toEqual([]);
});

test("over IPv6: neighbour discovery, and the servers' addresses in the drawing", async () => {
  await visit("?lab=dr&ipv6=yes");
  await page.locator(".host-address").getByText("fd00:150::100").first().waitFor();
  const line = page.getByRole("textbox", { name: "Terminal, client" });
  await line.fill("curl -sS http://[fd00:150::100]/");
  await line.press("Enter");
  await page
    .getByRole("log")
    .getByText(/from fd00:150::1[23]/)
    .waitFor();
  expect(page.url()).toContain("ipv6=yes");
  expect(complaints).toEqual([]);
});

test("in Chinese, too", async () => {
  await visit("?lesson=why", { locale: "zh-CN" });
  await page.getByRole("heading", { name: "node02 为什么不应答？" }).waitFor();
  await page.getByRole("button", { name: "代为输入" }).click();
  await page.locator(".tick").first().waitFor();
  expect(await page.evaluate(() => document.documentElement.lang)).toBe("zh-CN");
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("heading", { name: "Why does node02 not answer?" }).waitFor();
});

test.each([
  ["desk", "dark"],
  ["small", "light"],
  ["phone", "light"],
] as const)("everybody can use it: %s, %s", async (size, theme) => {
  const typed = JSON.stringify([["client", "curl -sS http://192.168.150.100/"]]);
  await visit(`?lab=dr&typed=${encodeURIComponent(typed)}`, { size: SIZES[size], theme });
  await page.locator(".step-says").first().waitFor();
  await page.getByText("Lessons").click();
  expect(await inaccessible(page)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(SIZES[size].width);
});
