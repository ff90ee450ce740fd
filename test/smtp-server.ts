/** An SMTP server (RFC 5321) of the tests' own, which keeps what it is sent. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { TLSSocket } from "node:tls";

export interface Received {
  readonly from: string;
  readonly to: readonly string[];
  /** Headers and body, without the dots that SMTP adds. */
  readonly text: string;
  readonly isEncrypted: boolean;
  readonly login: string | undefined;
}

export interface SmtpOptions {
  /** Offers STARTTLS, and after it a login. */
  readonly identity?: { readonly certificate: string; readonly key: string };
  /** What is answered instead, by how a line begins: a code and words; empty: nothing, ever. */
  readonly answers?: Readonly<Record<string, string>>;
}

export interface SmtpServer extends Disposable {
  readonly port: number;
  readonly mails: readonly Received[];
  /** Lines that clients sent, data apart. */
  readonly lines: readonly string[];
}

export async function smtpServer(options: SmtpOptions = {}, port = 0): Promise<SmtpServer> {
  const mails: Received[] = [];
  const lines: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.write("220 test ESMTP\r\n");
    talk(socket, { options, mails, lines, isEncrypted: false });
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    mails,
    lines,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

interface Conversation {
  readonly options: SmtpOptions;
  readonly mails: Received[];
  readonly lines: string[];
  readonly isEncrypted: boolean;
}

function talk(socket: Socket, conversation: Conversation): void {
  const { options, mails, lines, isEncrypted } = conversation;
  let [from, to, data, login]: [string, string[], string[] | undefined, string | undefined] = [
    "",
    [],
    undefined,
    undefined,
  ];
  const reader = createInterface({ input: socket });
  reader.on("error", () => {});
  const answer = (text: string): void => void socket.write(`${text}\r\n`);
  reader.on("line", (line) => {
    if (data !== undefined) {
      if (line !== ".") return void data.push(line.replace(/^\./, ""));
      mails.push({ from, to, text: data.join("\n"), isEncrypted, login });
      [from, to, data] = ["", [], undefined];
      return answer(options.answers?.["."] ?? "250 kept");
    }
    lines.push(line);
    const verb = line.split(/[ :]/, 1)[0]!.toUpperCase();
    const instead = options.answers?.[verb];
    if (instead !== undefined) return instead === "" ? undefined : answer(instead);
    const address = /<([^>]*)>/.exec(line)?.[1] ?? "";
    switch (verb) {
      case "EHLO":
        if (options.identity !== undefined) {
          answer(`250-test\r\n250 ${isEncrypted ? "AUTH PLAIN" : "STARTTLS"}`);
        } else answer("250 test");
        break;
      case "STARTTLS": {
        if (options.identity === undefined) return answer("502 not here");
        answer("220 go on");
        reader.close();
        reader.removeAllListeners();
        socket.removeAllListeners("data");
        const { certificate: cert, key } = options.identity;
        const secure = new TLSSocket(socket, { isServer: true, cert, key });
        secure.on("error", () => {});
        talk(secure, { ...conversation, isEncrypted: true });
        break;
      }
      case "AUTH":
        login = Buffer.from(line.split(" ")[2] ?? "", "base64")
          .toString()
          .replaceAll("\0", "/");
        answer("235 welcome");
        break;
      case "MAIL":
        from = address;
        answer("250 ok");
        break;
      case "RCPT":
        to.push(address);
        answer("250 ok");
        break;
      case "DATA":
        data = [];
        answer("354 go on");
        break;
      case "QUIT":
        answer("221 bye");
        socket.end();
        break;
      default:
        answer("250 ok");
    }
  });
}
