/** `notify` of a sluice.yaml: who is told of events, and how. */

import { secondsOf } from "./duration.ts";
import { type MailServer, parseMailServer } from "./mail-place.ts";
import type { FileContent } from "./schema.ts";

export interface NotifySettings {
  readonly way: NotifyWay;
  /** Only what is about these, as ids have them; empty: whatever it is about. */
  readonly services: readonly string[];
  readonly destinations: readonly string[];
  /** What events' names begin with; empty: all. */
  readonly only: readonly string[];
  /** Whether it is told that all is down when the daemon ends. */
  readonly atEnd: boolean;
  readonly timeoutMs: number;
}

export type NotifyWay =
  | {
      readonly kind: "exec";
      /** A program and its words. */
      readonly command: readonly string[];
      /** Whether words about the event follow the program's own. */
      readonly hasWords: boolean;
    }
  | { readonly kind: "webhook"; readonly url: string }
  | ({ readonly kind: "mail" } & MailSettings);

export interface MailSettings {
  readonly to: readonly string[];
  /** Undefined: as by this host's name; so are the other names. */
  readonly from?: string | undefined;
  readonly server: MailServer;
  readonly name?: string | undefined;
  readonly helo?: string | undefined;
  readonly tls: "never" | "offered" | "required" | "always";
  readonly login?: { readonly user: string; readonly password: string } | undefined;
}

type ReceiverContent = NonNullable<FileContent["notify"]>[number];

const TIMEOUT_SECONDS = 10;
/** keepalived's SMTP_CONNECTION_TIMEOUT: servers of mail take their time. */
const MAIL_TIMEOUT_SECONDS = 30;
const LOCAL_SERVER = "127.0.0.1";

export function notifySettings(
  content: NonNullable<FileContent["notify"]>,
): readonly NotifySettings[] {
  return content.map((content) => notifySetting(content));
}

function notifySetting(content: ReceiverContent): NotifySettings {
  const { service, destination, events, atEnd = false } = content;
  const way = wayOf(content);
  const { timeout = way.kind === "mail" ? MAIL_TIMEOUT_SECONDS : TIMEOUT_SECONDS } = content;
  return {
    way,
    services: [service ?? []].flat(),
    destinations: [destination ?? []].flat(),
    only: events ?? [],
    atEnd,
    timeoutMs: secondsOf(timeout) * 1_000,
  };
}

/** The schema saw that it is one of them. */
function wayOf({ exec, webhook, mail, words = true }: ReceiverContent): NotifyWay {
  if (mail !== undefined) return mailOf(mail);
  if (webhook !== undefined) return { kind: "webhook", url: webhook };
  const command = typeof exec === "string" ? exec.split(/\s+/).filter((word) => word !== "") : exec;
  return { kind: "exec", command: command ?? [], hasWords: words };
}

function mailOf({
  to,
  from,
  server = LOCAL_SERVER,
  name,
  helo,
  tls = "offered",
  user,
  password,
}: NonNullable<ReceiverContent["mail"]>): NotifyWay {
  const login = user === undefined || password === undefined ? undefined : { user, password };
  return {
    kind: "mail",
    to: [to].flat(),
    from,
    server: parseMailServer(server)!,
    name,
    helo,
    tls,
    login,
  };
}
