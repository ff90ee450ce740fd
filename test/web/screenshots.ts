/** Takes the pictures of README: what somebody sees who opens the pages. `scripts/screenshots` runs it, as root. */
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { V } from "../e2e/network.ts";
import { untilPrinted } from "../userspace/namespaces.ts";
import { openBrowser, openPage } from "./browser.ts";
import { buildPages, openDirector } from "./director.ts";
import { SCENES, type Scene } from "./scenes.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const IMAGES = join(ROOT, "docs/images");
const SIZE = { width: 1280, height: 760 } as const;
/** Until charts have something to show. */
const TRAFFIC_MS = 45_000;

buildPages();
mkdirSync(IMAGES, { recursive: true });
const browser = await openBrowser();
try {
  // The dashboard's charts take a while: `screenshots lessons` leaves them as they are.
  if (process.argv[2] !== "lessons") await dashboard(browser);
  await laboratory(browser);
} finally {
  await browser.close();
}

async function dashboard(by: Browser): Promise<void> {
  const director = await openDirector();
  try {
    director.ask();
    const { page } = await openPage(by, await director.link(), { size: SIZE });
    await page.getByRole("link", { name: `tcp:${V}:80`, exact: true }).click();
    await sleep(TRAFFIC_MS);
    await page.mouse.move(0, 0);
    await page.screenshot({ path: join(IMAGES, "dashboard.png") });
  } finally {
    await director[Symbol.asyncDispose]();
  }
}

async function laboratory(by: Browser): Promise<void> {
  const words = ["--disable-warning=ExperimentalWarning", "scripts/web.ts"];
  const server = spawn(process.execPath, words, { cwd: ROOT });
  try {
    const [base] = /http:\/\/[^/]+/.exec(await untilPrinted(server, "\n"))!;
    for (const scene of SCENES) await take(by, base, scene);
  } finally {
    server.kill();
  }
}

async function take(by: Browser, base: string, scene: Scene): Promise<void> {
  const { image, lesson, typed, theme, row, host } = scene;
  const query = new URLSearchParams({ lesson, typed: JSON.stringify(typed) });
  const { page } = await openPage(by, `${base}/#/laboratory?${query.toString()}`, {
    size: SIZE,
    theme,
  });
  // Rows are drawn where they are looked at: from the end upwards.
  const list = page.locator(".step-list .list");
  await page.getByRole("button", { name: "To the last command" }).click();
  const wanted = page.getByRole("row", { name: row }).last();
  for (let tries = 0; (await wanted.count()) === 0 && tries < 50; tries++) {
    await list.evaluate((element) => element.scrollBy(0, 200));
    await sleep(50);
  }
  await wanted.getByRole("button").click();
  await page.getByRole("tab", { name: host }).click();
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(IMAGES, image) });
  await page.context().close();
}
