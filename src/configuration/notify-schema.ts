/** What a sluice.yaml may say of those who are told of events. */
import { z } from "zod";
import { expecting, flag, keyed, listOf, oneOf, text } from "../base/schema-terms.ts";
import { duration } from "./duration-schema.ts";
import { A_MAIL_SERVER, isMailAddress, parseMailServer } from "./mail-place.ts";

/** As the API calls them. */
const SERVICE_ID = /^((tcp|udp|sctp):(\[[0-9a-fA-F:.]+\]|[0-9.]+):\d{1,5}|fwmark6?:\d{1,10})$/;
const ENDPOINT_ID = /^(\[[0-9a-fA-F:.]+\]|[0-9.]+):\d{1,5}$/;

const A_SERVICE = "a service such as tcp:192.0.2.10:80 or fwmark:7";
const A_DESTINATION = "a destination such as 192.0.2.21:80";
const A_MAIL_ADDRESS = "a mail address such as admin@example.com";

const serviceId = text(A_SERVICE).regex(SERVICE_ID, expecting(A_SERVICE));
const endpointId = text(A_DESTINATION).regex(ENDPOINT_ID, expecting(A_DESTINATION));
const mailAddress = text(A_MAIL_ADDRESS).refine(isMailAddress, expecting(A_MAIL_ADDRESS));

const mail = keyed({
  to: z
    .union(
      [mailAddress, z.array(mailAddress).min(1)],
      expecting("a mail address, or a list of them"),
    )
    .describe("Whom the mail is for."),
  from: mailAddress
    .optional()
    .describe("Whom it is from. Default: `sluice@` and this host's name."),
  server: text(A_MAIL_SERVER)
    .refine((value) => parseMailServer(value) !== undefined, expecting(A_MAIL_SERVER))
    .optional()
    .describe("The SMTP server, with a port if it is not 25. Default: `127.0.0.1`."),
  name: text("a name")
    .optional()
    .describe(
      "What stands in brackets before each subject: keepalived's `router_id`. Default: this host's name.",
    ),
  helo: text("a host's name")
    .optional()
    .describe("By what name the server is greeted. Default: this host's."),
  tls: oneOf(["never", "offered", "required", "always"])
    .optional()
    .describe(
      "`offered`: encrypted when the server offers it, whoever it is. `required`: only after STARTTLS, to a server whose certificate is right. `always`: TLS from the first byte, with such a certificate. Default: `offered`.",
    ),
  user: text("a user's name")
    .optional()
    .describe("Who logs in there; only with `tls` `required` or `always`. Default: nobody."),
  password: text("a password")
    .optional()
    .describe("With `user`. A variable of the environment keeps it out of the file."),
})
  .refine(
    ({ user, password }) => (user === undefined) === (password === undefined),
    expecting("user and password together, or neither"),
  )
  .refine(
    ({ user, tls }) => user === undefined || tls === "required" || tls === "always",
    expecting("tls: required or always with a password: others on the way would read it"),
  )
  .meta({ id: "mail" });

const WAYS = ["exec", "webhook", "mail"] as const;

export const receiver = keyed({
  exec: z
    .union([z.string().min(1), z.array(z.string()).min(1)], expecting("a program and its words"))
    .optional()
    .describe(
      "A program that is run for each event: one text that is split at spaces, or a list of words. Words in the manner of keepalived's `lvs_notify_fifo` follow; JSON is on its standard input. No shell is asked.",
    ),
  webhook: z
    .url({ protocol: /^https?$/, error: "expected an http or https URL" })
    // For editors.
    .meta({ pattern: "^[hH][tT][tT][pP][sS]?://" })
    .optional()
    .describe("Or a URL that the event is posted to, as JSON: `event`, `data`."),
  mail: mail
    .optional()
    .describe("Or somebody who gets a mail, as keepalived's `smtp_alert` has it."),
  words: flag()
    .optional()
    .describe("Of a program: whether words about the event follow its own. Default: true."),
  service: z
    .union([serviceId, z.array(serviceId).min(1)], expecting(`${A_SERVICE}, or a list of them`))
    .optional()
    .describe(
      "Only what is about this service, or these: `tcp:192.0.2.10:80`, `fwmark:7`. Default: whatever it is about.",
    ),
  destination: z
    .union(
      [endpointId, z.array(endpointId).min(1)],
      expecting(`${A_DESTINATION}, or a list of them`),
    )
    .optional()
    .describe("Only what is about this destination, or these: `192.0.2.21:80`."),
  events: listOf(text("an event's name"), "events")
    .optional()
    .describe("What events' names begin with: docs/log-events.md. Default: all."),
  atEnd: flag()
    .optional()
    .describe(
      "When the daemon ends, it is told that all is down, too: keepalived's `omega`. Default: false.",
    ),
  timeout: duration.optional().describe("For how long it may take. Default: 10s, a mail 30s."),
})
  .refine(
    (content) => WAYS.filter((way) => content[way] !== undefined).length === 1,
    expecting("one of exec, webhook and mail"),
  )
  .meta({ id: "receiver" });
