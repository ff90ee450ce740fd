/**
 * The pages of web/, as they were built: the dashboard and the laboratory. Loaded when a browser asks for them.
 *
 * They contain no secret and are given to whoever may reach the daemon at all; what they show they ask the API for, with
 * the rights of whoever looks at them. Nothing in them is from elsewhere, and no browser shall let them reach elsewhere.
 */
import { readFile } from "node:fs/promises";
import { refusal } from "../access.ts";

const FOLDER = new URL("../../../dist/web/", import.meta.url);

export const PAGES = "/ui/";

/** A build's files lie side by side. */
const NAME = /^[\w-]+(\.[\w-]+)+$/;

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

/** Scripts and styles are files, connections go to where the page is from: what a page shows cannot be made to do more. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
} as const;

/** What a build keeps beside a script or a style: the same, compressed. */
const COMPRESSED = ".br";

/**
 * `path` is what stands behind the pages' own place: "" is the first of them. `accepts`: the request's Accept-Encoding. Browsers
 * take what is compressed over TLS and from their own host alone, which is where we are.
 */
export async function pageAt(path: string, accepts = ""): Promise<Response> {
  const name = path === "" ? "index.html" : path;
  const isKnown = NAME.test(name) && !name.endsWith(COMPRESSED);
  const takesCompressed = /\bbr\b/.test(accepts);
  const compressed = isKnown && takesCompressed ? await contentOf(name + COMPRESSED) : undefined;
  const bytes = compressed ?? (isKnown ? await contentOf(name) : undefined);
  if (bytes === undefined) {
    return name === "index.html"
      ? refusal(404, "no-pages", "The pages are not built here: npm run web -- --build")
      : refusal(404, "no-such-page", `There is no page ${JSON.stringify(name)}`);
  }
  const type = TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream";
  // All but the first have their content's hash in their names.
  const keeping = name === "index.html" ? "no-cache" : "public, max-age=31536000, immutable";
  const headers = {
    ...HEADERS,
    "content-type": type,
    "cache-control": keeping,
    vary: "accept-encoding",
    ...(compressed === undefined ? {} : { "content-encoding": "br" }),
  };
  return new Response(bytes, { headers });
}

/** Undefined: there is no such file. */
async function contentOf(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return new Uint8Array(await readFile(new URL(name, FOLDER)));
  } catch (error) {
    if (["ENOENT", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? ""))
      return undefined;
    throw error;
  }
}
