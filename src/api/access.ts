/** What a caller may do: nothing, look, or command. One rule for all routes, so that none can be forgotten. */
import type { ErrorReply } from "./messages.ts";

export type Right = "read" | "write";

/** They ask what would be, and change nothing, though their question has a body. */
const ASKING = [
  /^\/v1\/configuration\/(plan|explain)$/,
  /^\/v1\/services\/[^/]+\/explain$/,
] as const;

/** Of a request, whether there is such a route or not. */
export function neededRight(method: string, path: string): Right {
  if (method === "GET" || method === "HEAD") return "read";
  return method === "POST" && ASKING.some((each) => each.test(path)) ? "read" : "write";
}

const PAGE = /^\/ui(\/([\w-]+(\.[\w-]+)+)?)?$/;

/** One of the pages that a browser shows (ui/pages.ts), which hold nothing that is anybody's. `target` as it was sent. */
export function isForPages(method: string, target: string): boolean {
  return (method === "GET" || method === "HEAD") && PAGE.test(target);
}

/**
 * The answer to a request that its caller may not make; undefined for one that it may. `granted` undefined: nothing at all.
 * `whoMay` completes the sentence "Only ... may". `ownOrigin`: that of our own pages, where a browser reaches us.
 */
export function refusalOf(
  request: Request,
  granted: Right | undefined,
  whoMay: Readonly<Record<Right, string>>,
  ownOrigin?: string,
): Response | undefined {
  // A page of the web has no business here, whoever its reader is. A browser names our own, too, where they command.
  const origin = request.headers.get("origin");
  if (origin !== null && origin !== ownOrigin) {
    return refusal(
      403,
      "not-permitted",
      "A request with an Origin comes from a web page: none is served",
    );
  }
  const needed = neededRight(request.method, new URL(request.url).pathname);
  if (granted === "write" || granted === needed) return undefined;
  const does = needed === "read" ? "ask the daemon" : "command the daemon";
  return refusal(403, "not-permitted", `Only ${whoMay[needed]} may ${does}`);
}

/** A problem document (RFC 9457) from outside of the routes. */
export function refusal(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const error: ErrorReply["error"] = { code, message };
  return new Response(JSON.stringify(problemDocument(status, error)), {
    status,
    headers: { "content-type": PROBLEM_TYPE, ...headers },
  });
}

export const PROBLEM_TYPE = "application/problem+json";

/** `error` is an extension member (RFC 9457 3.2): what programs tell refusals apart by, and what lines of a stream bear, too. */
export function problemDocument(status: number, error: ErrorReply["error"]): object {
  return {
    type: "about:blank",
    title: TITLES[status] ?? "Refused",
    status,
    detail: error.message,
    error,
  };
}

/** RFC 9457 4.2.1: with "about:blank" the title is the status's own phrase. */
const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  412: "Precondition Failed",
  413: "Content Too Large",
  421: "Misdirected Request",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};
