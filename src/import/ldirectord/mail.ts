/** `emailalert` and its kin: mail when a real server is up, or down. */
import { isMailAddress, parseMailServer } from "../../configuration/mail-place.ts";
import type { Mail } from "../model.ts";
import type { Notes } from "../told.ts";
import type { Setting } from "./sections.ts";

interface Settings {
  readonly setting: (name: string) => Setting | undefined;
  /** This machine's name. */
  readonly id: string;
  readonly notes: Notes;
}

const LOCAL = { host: "127.0.0.1", port: 25 };

/** Undefined when nobody wants any. */
export function mailOf({ setting, id, notes }: Settings): Mail | undefined {
  const alert = setting("emailalert");
  if (alert === undefined || unquoted(setting("emailalertstatus")) === "none") return undefined;
  const to = (alert.value.match(/[^\s",]+/g) ?? []).flatMap((word) => {
    // One of this host's own users.
    const address = word.includes("@") ? word : `${word}@localhost`;
    if (isMailAddress(address)) return [address];
    notes.dropped(alert.at, alert.text, `expected a mail address, got ${word}`);
    return [];
  });
  if (to.length === 0) return undefined;
  const status = setting("emailalertstatus");
  if (status !== undefined && unquoted(status) !== "all") {
    notes.note(status.at, status.text, "a mail is sent whenever a server is up or down");
  }
  const often = setting("emailalertfreq");
  if (often !== undefined && unquoted(often) !== "0") {
    notes.note(often.at, often.text, "a mail is sent once, when it happens: alert rules remind");
  }
  const from = setting("emailalertfrom");
  const sender = unquoted(from);
  if (from !== undefined && !isMailAddress(sender!)) {
    notes.dropped(from.at, from.text, "expected a mail address");
  }
  const smtp = setting("smtp");
  const server = smtp === undefined ? undefined : parseMailServer(unquoted(smtp)!);
  if (smtp === undefined) {
    notes.note(alert.at, alert.text, "it goes to 127.0.0.1 by SMTP, not to this host's sendmail");
  } else if (server === undefined) {
    notes.dropped(smtp.at, smtp.text, "expected a host's name or address: 127.0.0.1 is taken");
  }
  return {
    to,
    from: sender !== undefined && isMailAddress(sender) ? sender : undefined,
    server: server ?? LOCAL,
    name: id,
  };
}

function unquoted(setting: Setting | undefined): string | undefined {
  return setting?.value.replaceAll(/^"|"$/g, "");
}
