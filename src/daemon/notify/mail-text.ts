/**
 * Events as a mail: subject and first line as keepalived's smtp_alert() has them (lib/smtp.c; check_daemon's ipwrapper.c and
 * check_api.c), so that filters that people have go on.
 *
 *     [LVS1] Realserver [10.0.0.2]:tcp:80 of virtual server [10.0.0.1]:tcp:80 - DOWN
 *     => CHECK failed on service : connection refused <=
 */
import type { KeptEvent } from "../../control/events.ts";
import { wordsFor } from "./words.ts";

export interface MailText {
  readonly subject: string;
  readonly text: string;
}

/** A header may fold at any blank, and has to end somewhere. */
const SUBJECT_MAX = 300;

type Facts = Readonly<Record<string, unknown>>;

/** `name`: who tells it. There is one event at least. */
export function mailText(name: string, events: readonly KeptEvent[]): MailText {
  const [first, ...others] = events.map(textOf);
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  const subject = `[${name}] ${first!.title}`.replaceAll(/[\r\n]+/g, " ");
  if (others.length === 0) return { subject: cut(subject, SUBJECT_MAX), text: first!.body };
  const bodies = [first!, ...others].map(({ title, body }) => `${title}\n${body}`);
  return { subject: `${cut(subject, SUBJECT_MAX)}${more}`, text: bodies.join("\n") };
}

function textOf(event: KeptEvent): { readonly title: string; readonly body: string } {
  const facts = JSON.parse(event.text) as Facts;
  const body = [`=> ${saying(event, facts)} <=`, "", event.name, ...linesOf(facts), ""].join("\n");
  return { title: titleOf(event, facts), body };
}

function titleOf(event: KeptEvent, facts: Facts): string {
  const words = wordsFor(event) ?? [];
  const state = words.at(-1);
  // A mark is two words there.
  if (words[0] === "VS") return `Virtualserver ${words.slice(1, -1).join(" ")} - ${state}`;
  if (words[0] === "RS") {
    return `Realserver ${words[1]} of virtual server ${words.slice(2, -1).join(" ")} - ${state}`;
  }
  return worded(facts.message ?? event.name);
}

function saying({ name }: KeptEvent, facts: Facts): string {
  if (facts.atEnd === true) return "Shutting down";
  const [sum, quorum, hysteresis] = [facts.sum, facts.quorum, facts.hysteresis].map(Number);
  switch (name) {
    case "destination-down":
      return `CHECK failed on service : ${worded(facts.why)}`;
    case "destination-up":
      return "CHECK succeed on service";
    case "quorum-gained":
      return `Gained quorum ${quorum}+${hysteresis}=${quorum! + hysteresis!} <= ${sum}`;
    case "quorum-lost":
      return `Lost quorum ${quorum}-${hysteresis}=${quorum! - hysteresis!} > ${sum}`;
    default:
      return worded(facts.message ?? name);
  }
}

function linesOf(facts: Facts): string[] {
  return Object.entries(facts)
    .filter(([key, value]) => key !== "message" && key !== "atEnd" && value !== undefined)
    .map(([key, value]) => `${key}: ${worded(value)}`);
}

function worded(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
