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
  lines: Log["lines"],
): Promise<Health> {
  const teller = new Teller(lines);
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
  readonly #lines: Log["lines"];
  readonly #counts = new Map<string, number>();

  constructor(lines: Log["lines"]) {
    this.#lines = lines;
  }

  tell(event: HealthEvent): void {
    const kind = event.kind === "destination" ? `destination ${event.up}` : event.kind;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count === 1) setTimeout(() => this.#rest(kind), TELL_MS).unref();
    if (count <= TOLD_MAX) this.#line(event);
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
    this.#lines.warn({ event: "health-more", count: more }, `and ${more} more ${says}`);
  }

  #line(event: HealthEvent): void {
    switch (event.kind) {
      case "destination": {
        const { up, why } = event;
        const facts = {
          ...about(event.service),
          destination: formatEndpoint(event.destination.endpoint),
          why,
        };
        if (up) this.#lines.info({ event: "destination-up", ...facts }, "a destination is up");
        else this.#lines.warn({ event: "destination-down", ...facts }, "a destination is down");
        break;
      }
      case "quorum": {
        const { has, decision, health } = event;
        const { quorum, hysteresis } = health;
        const facts = { ...about(event.service), sum: decision.sum, quorum, hysteresis };
        const sorry = health.sorry && formatEndpoint(health.sorry.endpoint);
        const rest = sorry === undefined ? facts : { ...facts, sorry };
        if (has) this.#lines.info({ event: "quorum-gained", ...rest }, "a service has its quorum");
        else this.#lines.error({ event: "quorum-lost", ...rest }, "a service lost its quorum");
        break;
      }
      case "panic":
        if (event.isPanic) {
          this.#lines.error(
            { event: "panic", ...about(event.service) },
            "so few destinations are up that all are kept",
          );
        } else {
          this.#lines.info(
            { event: "panic-over", ...about(event.service) },
            "enough destinations are up again: the others go",
          );
        }
        break;
      case "warning": {
        const { target, check, warning } = event;
        this.#lines.warn(
          { event: "check-warning", address: target.address, port: target.port, check },
          warning,
        );
      }
    }
  }
}

function about(service: ServiceKey): { service: string } {
  return { service: formatServiceId(keyToWire(service)) };
}
