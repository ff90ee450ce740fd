/** Health checks as the daemon runs them: what happens is told in its log. */
import { formatServiceId } from "../api/ids.ts";
import type { Control } from "../control/control.ts";
import { keyToWire } from "../control/wire.ts";
import { type Health, openHealth } from "../health/health.ts";
import type { HealthEvent } from "../health/keeper.ts";
import { formatEndpoint, type ServiceKey } from "../ipvs/desired/service.ts";
import type { Log } from "./log.ts";

/** Lines of one kind within a second: more are told by their number. */
const TOLD_MAX = 20;
const TELL_MS = 1_000;

export async function startHealth(
  control: Promise<Control>,
  socket: string,
  log: Pick<Log, "lines" | "events">,
): Promise<Health> {
  const teller = new Teller(log);
  const { lines } = log;
  return await openHealth({
    // This very program, as it was started.
    program: [process.execPath, ...process.execArgv, process.argv[1] ?? "", "probe"],
    memory: `${socket}.health`,
    renew: async (keyTexts) => (await control).renew(keyTexts),
    happened: (event) => teller.tell(event),
    warn: (message, error) => lines.warn({ event: "health-trouble", err: error }, message),
    inform: (message) => lines.info({ event: "health-trouble-over" }, message),
  });
}

class Teller {
  readonly #log: Pick<Log, "lines" | "events">;
  readonly #counts = new Map<string, number>();

  constructor(log: Pick<Log, "lines" | "events">) {
    this.#log = log;
  }

  tell(event: HealthEvent): void {
    const kind = event.kind === "destination" ? `destination ${event.up}` : event.kind;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count === 1) setTimeout(() => this.#rest(kind), TELL_MS).unref();
    const { level, message, facts } = lineOf(event);
    if (count <= TOLD_MAX) this.#log.lines[level](facts, message);
    else {
      // Listeners, and scripts that are run for each, hear of all.
      const { event: name, ...rest } = facts;
      this.#log.events.publish({ name, message, facts: rest });
    }
  }

  #rest(kind: string): void {
    const more = this.#counts.get(kind)! - TOLD_MAX;
    this.#counts.delete(kind);
    if (more <= 0) return;
    const what = {
      "destination true": "destinations are up",
      "destination false": "destinations are down",
    };
    const says = what[kind as keyof typeof what] ?? `of ${kind}`;
    const facts = { event: "health-more", count: more };
    this.#log.lines.warn(facts, `and ${more} more ${says}`);
  }
}

interface Line {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  readonly facts: { readonly event: string } & Readonly<Record<string, unknown>>;
}

function lineOf(event: HealthEvent): Line {
  switch (event.kind) {
    case "destination": {
      const { up, why } = event;
      const destination = formatEndpoint(event.destination.endpoint);
      const rest = { ...about(event.service), destination, why };
      return up
        ? {
            level: "info",
            message: "a destination is up",
            facts: { event: "destination-up", ...rest },
          }
        : {
            level: "warn",
            message: "a destination is down",
            facts: { event: "destination-down", ...rest },
          };
    }
    case "quorum": {
      const { has, decision, health } = event;
      const { quorum, hysteresis } = health;
      const sorry = health.sorry && { sorry: formatEndpoint(health.sorry.endpoint) };
      const rest = { ...about(event.service), sum: decision.sum, quorum, hysteresis, ...sorry };
      return has
        ? {
            level: "info",
            message: "a service has its quorum",
            facts: { event: "quorum-gained", ...rest },
          }
        : {
            level: "error",
            message: "a service lost its quorum",
            facts: { event: "quorum-lost", ...rest },
          };
    }
    case "panic":
      return event.isPanic
        ? {
            level: "error",
            message: "so few destinations are up that all are kept",
            facts: { event: "panic", ...about(event.service) },
          }
        : {
            level: "info",
            message: "enough destinations are up again: the others go",
            facts: { event: "panic-over", ...about(event.service) },
          };
    case "warning": {
      const { target, check, warning } = event;
      const { address, port } = target;
      return {
        level: "warn",
        message: warning,
        facts: { event: "check-warning", address, port, check },
      };
    }
  }
}

function about(service: ServiceKey): { service: string } {
  return { service: formatServiceId(keyToWire(service)) };
}
