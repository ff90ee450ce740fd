/**
 * Between a browser on this host and the daemon's unix socket.
 *
 * Whoever is on this host reaches 127.0.0.1, and any page of the web that the browser shows can try to: so each call bears a
 * token, the Host must be this address (a name that somebody made lead here is refused), and an Origin must be ours. The
 * token is not in the link, which history and process lists keep: the link has a ticket that buys it, once.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isForPages, neededRight, PROBLEM_TYPE, problemDocument } from "../../api/access.ts";
import { adviceFor } from "../ipvsadm/connect.ts";

export interface GatewayOptions {
  /** 0: the system chooses. */
  readonly port: number;
  readonly isReadOnly: boolean;
  /** A link was used; the next one. */
  readonly onSold?: (next: string) => void;
}

export interface Gateway extends AsyncDisposable {
  readonly port: number;
  /** A link for one browser. */
  link(): string;
}

const TICKETS_MAX = 16;
const TICKET_LENGTH_MAX = 100;
/** They are the connection's, or of the way to us: the daemon would take them for its own. */
const NOT_HANDED_ON = new Set(["host", "origin", "authorization", "connection", "referer"]);

/** Rejects when the port cannot be had. */
export async function serveToBrowser(
  socketPath: string,
  { port, isReadOnly, onSold }: GatewayOptions,
): Promise<Gateway> {
  const token = secret();
  let tickets: string[] = [];
  const server = createServer((incoming, outgoing) => {
    outgoing.on("error", () => {});
    const { method = "GET", url: target = "/" } = incoming;
    const host = incoming.headers.host ?? "";
    const { port: own } = server.address() as AddressInfo;
    if (host !== `127.0.0.1:${own}` && host !== `localhost:${own}`) {
      refuse(outgoing, 421, "misdirected", `This is http://127.0.0.1:${own}, not ${host}`);
      return;
    }
    const { origin } = incoming.headers;
    if (origin !== undefined && origin !== `http://${host}`) {
      refuse(outgoing, 403, "not-permitted", "Another page's request: none is served");
      return;
    }
    if (isForPages(method, target)) {
      handOn(socketPath, incoming, outgoing);
      return;
    }
    if (method === "POST" && target === "/ui/session") {
      void sell(incoming, outgoing);
      return;
    }
    if (!isSame(incoming.headers.authorization ?? "", `Bearer ${token}`)) {
      refuse(outgoing, 401, "no-token", "This needs the link that sluice ui prints: run it again");
      return;
    }
    // The target as it was sent: what the daemon would make of it, it makes itself.
    if (isReadOnly && neededRight(method, target.replace(/\?.*/, "")) === "write") {
      refuse(outgoing, 403, "not-permitted", "sluice ui was started with --read-only");
      return;
    }
    handOn(socketPath, incoming, outgoing);
  });

  async function sell(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    let ticket = "";
    for await (const chunk of incoming) {
      ticket += chunk;
      if (ticket.length > TICKET_LENGTH_MAX) break;
    }
    const found = tickets.find((each) => isSame(each, ticket));
    if (found === undefined) {
      refuse(
        outgoing,
        401,
        "no-token",
        "This link was used already: sluice ui has printed another",
      );
      return;
    }
    tickets = tickets.filter((each) => each !== found);
    outgoing.setHeader("content-type", "application/json");
    outgoing.setHeader("cache-control", "no-store");
    outgoing.end(JSON.stringify({ token }));
    onSold?.(link());
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port }, resolve);
  });
  const { port: own } = server.address() as AddressInfo;
  function link(): string {
    const ticket = secret();
    tickets = [...tickets, ticket].slice(-TICKETS_MAX);
    return `http://127.0.0.1:${own}/ui/#ticket=${ticket}`;
  }

  return {
    port: own,
    link,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function handOn(socketPath: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).filter(([name]) => !NOT_HANDED_ON.has(name)),
  );
  const call = request(
    // A connection for each: streams of events hold theirs.
    { socketPath, agent: false, method: incoming.method, path: incoming.url, headers },
    (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on("error", () => outgoing.destroy());
      answer.pipe(outgoing);
    },
  );
  call.on("error", ({ code = "" }: NodeJS.ErrnoException) => {
    if (outgoing.headersSent) outgoing.destroy();
    else refuse(outgoing, 502, "no-daemon", adviceFor(code, socketPath));
  });
  // Whoever looks away takes the daemon's stream with him.
  outgoing.on("close", () => call.destroy());
  incoming.pipe(call);
}

function refuse(outgoing: ServerResponse, status: number, code: string, message: string): void {
  outgoing.writeHead(status, { "content-type": PROBLEM_TYPE });
  outgoing.end(JSON.stringify(problemDocument(status, { code, message })));
}

function secret(): string {
  return randomBytes(24).toString("base64url");
}

function isSame(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}
