/** Asks for a page by HTTP, or by HTTPS: RFC 9110. Up when status and body are the expected ones. */
import type { ProbeTarget } from "../checker.ts";
import { bodyFault } from "./body.ts";
import { connectTcp, shared } from "./connection.ts";
import { authorityOf, withoutPort } from "./http-authority.ts";
import {
  exchangeHttp1,
  exchangeHttp2,
  type HttpAnswer,
  type HttpQuestion,
} from "./http-exchange.ts";
import type { HttpSettings, HttpsSettings } from "./http-settings.ts";
import { checker, ProbeFailure } from "./probe.ts";
import { secure } from "./secure.ts";

/** As keepalived's, whose default for `status_code` it is. */
const STATUS = ["200-299"] as const;

export const http = checker<HttpSettings>(async (target, settings, signal) => {
  const connection = await connectTcp(target, signal);
  using _ = shared(connection);
  const question = questionOf(target, settings, 80);
  const answer =
    settings.version === "2"
      ? await exchangeHttp2(connection, "http", question, signal)
      : await exchangeHttp1(connection, question, signal);
  return await outcomeOf(answer, settings, signal);
});

export const https = checker<HttpsSettings>(async (target, settings, signal) => {
  const connection = await connectTcp(target, signal);
  using _ = shared(connection);
  const question = questionOf(target, settings, 443);
  const version = settings.version === "2" ? "h2" : "http/1.1";
  const name = settings.host === undefined ? target.address : withoutPort(settings.host);
  const { socket, warning } = await secure(connection, name, settings, [version], signal);
  if (version === "h2" && socket.alpnProtocol !== "h2") {
    throw new ProbeFailure("the server does not speak HTTP/2");
  }
  const answer =
    version === "h2"
      ? await exchangeHttp2(socket, "https", question, signal)
      : await exchangeHttp1(socket, question, signal);
  const outcome = await outcomeOf(answer, settings, signal);
  return { ...outcome, ...(warning !== undefined && { warning }) };
});

function questionOf(target: ProbeTarget, settings: HttpSettings, usualPort: number): HttpQuestion {
  return {
    method: settings.method ?? "GET",
    path: settings.path ?? "/",
    host: settings.host ?? authorityOf(target, usualPort),
    headers: { "user-agent": "sluice", accept: "*/*", ...lowerCased(settings.headers ?? {}) },
  };
}

async function outcomeOf(answer: HttpAnswer, settings: HttpSettings, signal: AbortSignal) {
  const expected = settings.status ?? STATUS;
  const { status } = answer;
  if (!expected.some((range) => isWithin(status, range))) {
    return { up: false, why: `status ${status}, expected ${expected.join(", ")}` };
  }
  const fault = await bodyFault(answer.body, settings.body, signal);
  return fault === undefined
    ? { up: true, why: `status ${status}` }
    : { up: false, why: `status ${status}, but ${fault}` };
}

function isWithin(status: number, range: number | string): boolean {
  const [least, most = least] = String(range).split("-").map(Number);
  return status >= least! && status <= most!;
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}
