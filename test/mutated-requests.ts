/** Requests made of right ones by chance that can be repeated: bytes, fields, paths and headers are changed. */
import { ROUTES, type RouteName } from "../src/api/routes.ts";

export interface MutatedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Seed extends MutatedRequest {
  readonly name: RouteName;
}

const KEY = { kind: "endpoint", protocol: "tcp", endpoint: { address: "10.0.0.1", port: 80 } };
const SERVICE = {
  key: KEY,
  scheduler: "rr",
  schedulerFlags: [],
  onePacket: false,
  persistence: { timeoutSeconds: 60, netmask: "255.255.255.0" },
  persistenceEngine: null,
};
const DESTINATION = {
  endpoint: { address: "10.0.0.2", port: 80 },
  forwarding: { kind: "tunnel", encapsulation: "gue", port: 6080, checksum: "remote" },
  weight: 1,
  upperThreshold: 0,
  lowerThreshold: 0,
};
const WANTED = `{"timeouts":{"tcp":900},"sysctls":{},"keepsOthers":true}\n${JSON.stringify({
  ...SERVICE,
  destinations: [DESTINATION],
})}\n`;

const BODIES: Partial<Record<RouteName, string>> = {
  addService: JSON.stringify(SERVICE),
  editService: JSON.stringify(SERVICE),
  addDestination: JSON.stringify(DESTINATION),
  editDestination: JSON.stringify(DESTINATION),
  setTimeouts: '{"tcp":900,"tcpFin":120,"udp":300}',
  setSysctls: '{"drop_packet":1,"sync_threshold":"3 50"}',
  changes: `${JSON.stringify({ call: "addService", body: SERVICE })}\n{"call":"zero"}\n`,
  explainWith: `{"service":"tcp:10.0.0.1:80","client":{"address":"10.0.0.9","port":0}}\n${WANTED}`,
  plan: WANTED,
  apply: WANTED,
};

export const MUTATION_SEEDS: readonly Seed[] = Object.entries(ROUTES).map(
  ([name, { method, path }]) => ({
    name: name as RouteName,
    method,
    // A stream that is followed has no end.
    path: `${path
      .replace(":service", "tcp:10.0.0.1:80")
      .replace(":destination", "10.0.0.2:80")
      .replace(":generation", "1")}${name === "events" ? "?follow=no&since=all" : ""}`,
    headers: { "content-type": "application/json" },
    body: BODIES[name as RouteName] ?? "",
  }),
);

const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"] as const;
const WORDS = [
  "",
  "0",
  "-1",
  "1e999",
  "4294967296",
  "null",
  "true",
  "[]",
  "{}",
  '"',
  "\\",
  "\u0000",
  "\n",
  "\ud800",
  "../",
  "%00",
  "%",
  "%2f",
  "tcp:0.0.0.0:0",
  "fwmark:4294967295",
  "[::]:65536",
  "__proto__",
  "constructor",
  "toString",
  "é".repeat(300),
  "9".repeat(400),
  "[".repeat(2_000),
  "?since=all",
  "?connections=999999",
  "?only=,,,",
  "//",
  ":",
  "a:b:c:d",
] as const;
const HEADERS: readonly Readonly<Record<string, string>>[] = [
  { "content-type": "text/plain" },
  { "content-length": "5" },
  { "last-event-id": "x-99999999999999999999" },
  { "if-match": '"-1"' },
  { "if-match": 'W/"1"' },
  { origin: "null" },
  { "content-encoding": "gzip" },
  { expect: "100-continue" },
  { "sluice-command": "x".repeat(500) },
];

export class Mutator {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  next(): MutatedRequest {
    const seed = this.#of(MUTATION_SEEDS);
    let { method, path, headers, body }: MutatedRequest = seed;
    for (let times = this.#below(4); times > 0; times--) {
      switch (this.#below(6)) {
        case 0:
          method = this.#of(METHODS);
          break;
        case 1:
          path = `/${this.#changed(path.slice(1))}`;
          break;
        case 2:
          headers = { ...headers, ...this.#of(HEADERS) };
          break;
        default:
          body = this.#changed(body);
      }
    }
    // An event stream that is followed would have to be waited for.
    if (path.startsWith("/v1/events") && !path.includes("follow=no")) path = "/v1/events?follow=no";
    return { method, path, headers, body };
  }

  /** A request as it goes over a connection, changed anywhere. */
  nextBytes(): string {
    const { method, path, headers, body } = this.next();
    const fields = Object.entries({ host: "sluice", "content-length": body.length, ...headers });
    const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    let text = `${method} ${path} HTTP/1.1\r\n${head}\r\n${body}`;
    for (let times = this.#below(4); times > 0; times--) text = this.#changed(text);
    return text;
  }

  #changed(text: string): string {
    const at = this.#below(text.length + 1);
    const length = this.#below(8);
    switch (this.#below(5)) {
      case 0:
        return text.slice(0, at);
      case 1:
        return text.slice(0, at) + text.slice(at + length);
      case 2:
        return text.slice(0, at) + text.slice(at, at + length).repeat(3) + text.slice(at);
      case 3:
        return text.slice(0, at) + String.fromCharCode(this.#below(0x100)) + text.slice(at + 1);
      default:
        return text.slice(0, at) + this.#of(WORDS) + text.slice(at + length);
    }
  }

  #of<Item>(items: readonly Item[]): Item {
    return items[this.#below(items.length)]!;
  }

  /** The minimal standard generator of Park and Miller. */
  #below(limit: number): number {
    this.#state = (this.#state * 48_271) % 0x7fff_ffff;
    return this.#state % limit;
  }
}
