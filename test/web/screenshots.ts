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

const ROOT = resolve(import.meta.dirname, "../..");
const IMAGES = join(ROOT, "docs/images");
const SIZE = { width: 1280, height: 760 } as const;
/** Until charts have something to show. */
const TRAFFIC_MS = 45_000;

buildPages();
mkdirSync(IMAGES, { recursive: true });
const browser = await openBrowser();
try {
  await dashboard(browser);
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
    const site = "http://192.168.150.100/";
    const typed = [
      ["client", `curl -sS -m 2 ${site}`],
      ["client", `curl -sS -m 2 ${site}`],
      ["node02", "ifconfig lo:2 down"],
      ["client", `curl -sS -m 2 ${site} ${site}`],
    ];
    const query = new URLSearchParams({ lesson: "why", typed: JSON.stringify(typed) });
    const { page } = await openPage(by, `${base}/#/laboratory?${query.toString()}`, {
      size: SIZE,
      theme: "dark",
    });
    const lost = page.getByRole("button", { name: /✕ not-forwarding/ }).first();
    await lost.click();
    // The frame before the loss: under way from the director to node02.
    const sent = page.getByRole("row", { name: /^node01 SYN 192/ }).last();
    await sent.getByRole("button").click();
    await page.getByRole("tab", { name: "node02" }).click();
    await page.mouse.move(0, 0);
    await page.screenshot({ path: join(IMAGES, "laboratory.png") });
  } finally {
    server.kill();
  }
}
