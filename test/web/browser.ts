/** Debian's Chromium, as a person's browser: what a page does wrong there is remembered. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, chromium, type Page } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";
const WAIT_MS = 20_000;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const SIZES = {
  desk: { width: 1440, height: 900 },
  small: { width: 1024, height: 768 },
  phone: { width: 390, height: 844 },
} as const satisfies Record<string, Size>;

export function openBrowser(): Promise<Browser> {
  // As root, Chromium has no sandbox; these pages are ours. Its shared memory would be /dev/shm, which is small in containers.
  const args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"];
  return chromium.launch({ executablePath: CHROMIUM, args });
}

export interface Watched {
  readonly page: Page;
  /** What the page threw, complained of, or was forbidden by its policy. */
  readonly complaints: readonly string[];
}

export interface PageOptions {
  readonly size?: Size;
  readonly theme?: "light" | "dark";
  readonly locale?: "en-US" | "zh-CN";
}

export async function openPage(
  browser: Browser,
  url: string,
  { size = SIZES.desk, theme = "light", locale = "en-US" }: PageOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({
    viewport: size,
    colorScheme: theme,
    locale,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints };
}

/** What axe finds that people with other eyes and hands could not use: each rule with where. */
export async function inaccessible(page: Page): Promise<string[]> {
  // The page's policy keeps scripts out of it, as it should: the debugger's way in is not the page's.
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: AXE });
  const expression = `axe.run(document, { resultTypes: ["violations"] }).then((found) => found.violations.flatMap((each) => each.nodes.map((node) => each.id + ": " + node.target.join(" ") + " " + node.failureSummary)))`;
  const { result } = await session.send("Runtime.evaluate", {
    expression,
    awaitPromise: true,
    returnByValue: true,
  });
  await session.detach();
  return result.value as string[];
}

/** Milliseconds from the request to the first frame with something in it. */
export function firstFrameMs(page: Page): Promise<number> {
  return page.evaluate(
    () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN,
  );
}

/** Bytes of all scripts that were loaded: as they are, and as they came. */
export function scriptBytes(page: Page): Promise<{ decoded: number; transferred: number }> {
  return page.evaluate(() => {
    const scripts = performance
      .getEntriesByType("resource")
      .map((entry) => entry as PerformanceResourceTiming)
      .filter(({ name }) => name.endsWith(".js"));
    return {
      decoded: scripts.reduce((sum, { decodedBodySize }) => sum + decodedBodySize, 0),
      transferred: scripts.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
    };
  });
}
