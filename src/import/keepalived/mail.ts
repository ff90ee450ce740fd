/** What global_defs says of mail, as keepalived has it (lib/smtp.c, core/global_parser.c). */
import { isMailAddress, type MailServer, parseMailServer } from "../../configuration/mail-place.ts";
import type { Mail } from "../model.ts";
import type { Notes, Place } from "../told.ts";
import type { Statement } from "./statements.ts";
import { flag, integerIn } from "./values.ts";

export interface Mailing {
  /** Undefined when there is no server, or nobody to write to: keepalived sends none then, either. */
  readonly mail: Mail | undefined;
  /** Whether services, and real servers, are told of that do not say it themselves. */
  readonly tellsServices: boolean;
  readonly tellsServers: boolean;
}

const TIMEOUT_MAX = 2_678_400;

/** Collects global_defs' statements about mail. */
export class MailReader {
  readonly #notes: Notes;
  readonly #to: string[] = [];
  #at: Place | undefined;
  #from: string | undefined;
  #server: MailServer | undefined;
  #helo: string | undefined;
  #timeoutSeconds: number | undefined;
  #name: Statement | undefined;
  #tells: boolean | undefined;
  #tellsCheckers: boolean | undefined;

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  /** Whether it is about mail. */
  take(statement: Statement): boolean {
    const { at, text, words } = statement;
    const [keyword, word = ""] = words;
    switch (keyword) {
      case "notification_email":
        this.#at ??= at;
        for (const each of statement.block ?? []) {
          for (const address of each.words) this.#to.push(...this.#address(each.at, address));
        }
        return true;
      case "notification_email_from":
        this.#from = this.#address(at, word)[0];
        return true;
      case "smtp_server":
        this.#server = this.#serverIn(statement);
        return true;
      case "smtp_helo_name":
        this.#helo = word === "" ? undefined : word;
        return true;
      case "smtp_connect_timeout": {
        const seconds = integerIn(word, 1, TIMEOUT_MAX);
        if ("why" in seconds) this.#notes.dropped(at, text, seconds.why);
        else this.#timeoutSeconds = seconds.value as number;
        return true;
      }
      case "smtp_alert":
        this.#tells = this.#isOn(statement);
        return true;
      case "smtp_alert_checker":
        this.#tellsCheckers = this.#isOn(statement);
        return true;
      case "no_checker_emails":
        this.#notes.note(at, text, "mail is about real servers, never about one of their checks");
        return true;
      case "router_id":
        this.#name = statement;
        return true;
      default:
        return false;
    }
  }

  /** `id`: this machine's name, which mails have that no router_id names otherwise. */
  read(id: string): Mailing {
    const mail = this.#mail(this.#name?.words[1] ?? id);
    if (mail === undefined && this.#name !== undefined) {
      this.#notes.note(this.#name.at, this.#name.text, "it names mails, of which there are none");
    }
    const tells = this.#tellsCheckers ?? this.#tells;
    // Nothing said at all, services are silent and servers are not: as keepalived 1 had it (check_data.c).
    return { mail, tellsServices: tells ?? false, tellsServers: tells ?? true };
  }

  #mail(name: string): Mail | undefined {
    if (this.#to.length === 0) return undefined;
    if (this.#server === undefined) {
      const why = "there is no smtp_server: keepalived sends no mail either";
      this.#notes.note(this.#at!, "notification_email", why);
      return undefined;
    }
    return {
      to: this.#to,
      from: this.#from,
      server: this.#server,
      name,
      helo: this.#helo,
      timeoutSeconds: this.#timeoutSeconds,
    };
  }

  #address(at: Place, word: string): string[] {
    // One of the mail server's own users.
    const address = word.includes("@") ? word : `${word}@localhost`;
    if (!isMailAddress(address)) {
      this.#notes.dropped(at, word, "expected a mail address such as admin@example.com");
      return [];
    }
    if (address !== word) this.#notes.note(at, word, `taken as ${address}`);
    return [address];
  }

  #serverIn({ at, text, words: [, host = "nothing", port] }: Statement): MailServer | undefined {
    const server = parseMailServer(host.includes(":") ? `[${host}]` : host);
    if (server === undefined) {
      this.#notes.dropped(at, text, `expected a host's name or address, got ${host}`);
      return undefined;
    }
    if (port === undefined) return server;
    const taken = integerIn(port, 1, 0xffff);
    if (!("why" in taken)) return { ...server, port: taken.value as number };
    this.#notes.dropped(at, text, `port: ${taken.why}`);
    return server;
  }

  #isOn(statement: Statement): boolean {
    const taken = flag(statement);
    if ("why" in taken) return true;
    if (taken.odd !== undefined) this.#notes.note(statement.at, statement.text, taken.odd);
    return taken.value === true;
  }
}
