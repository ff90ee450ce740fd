/**
 * An event as words for a program: those of keepalived's lvs_notify_fifo (keepalived.conf(5), check_daemon's notify.c), so
 * that scripts that read them go on.
 *
 *     VS [10.0.0.1]:tcp:80 UP|DOWN
 *     RS [10.0.0.2]:tcp:80 [10.0.0.1]:tcp:80 UP|DOWN
 *
 * A firewall mark is `FWM 7` in the place of the first. Of other events the words are the name and the message.
 */
import { parseEndpointId, parseServiceId } from "../../api/ids.ts";
import type { KeptEvent } from "../../control/events.ts";

const STATES: Readonly<Record<string, readonly ["RS" | "VS", "UP" | "DOWN"]>> = {
  "destination-up": ["RS", "UP"],
  "destination-down": ["RS", "DOWN"],
  "quorum-gained": ["VS", "UP"],
  "quorum-lost": ["VS", "DOWN"],
};

/** Undefined for an event that is nothing to tell a program of: it has no message. */
export function wordsFor({ name, text }: KeptEvent): readonly string[] | undefined {
  const facts = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const state = STATES[name];
  if (state === undefined) {
    return typeof facts.message === "string" ? [name, facts.message] : undefined;
  }
  const [kind, upOrDown] = state;
  const service = serviceWord(String(facts.service));
  if (kind === "VS") return ["VS", service, upOrDown];
  return [
    "RS",
    destinationWord(String(facts.destination), String(facts.service)),
    service,
    upOrDown,
  ];
}

function serviceWord(id: string): string {
  const key = parseServiceId(id);
  if (key === undefined) return id;
  if (key.kind === "mark") return `FWM ${key.mark}`;
  const { address, port } = key.endpoint;
  return `[${address}]:${key.protocol}:${port}`;
}

/** As its service's, whose protocol it has. */
function destinationWord(id: string, serviceId: string): string {
  const endpoint = parseEndpointId(id);
  if (endpoint === undefined) return id;
  const key = parseServiceId(serviceId);
  const protocol = key?.kind === "endpoint" ? key.protocol : "none";
  return `[${endpoint.address}]:${protocol}:${endpoint.port}`;
}
