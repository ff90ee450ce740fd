/** What the daemon listens on besides its socket: ports for Prometheus, and for the API with TLS and tokens. Loaded where asked for. */
import type { Hono } from "hono";
import { listenForMetrics, metrics } from "../api/metrics/main.ts";
import { DEFAULT_TOKENS } from "../api/secure/default-tokens.ts";
import { listenSecurely } from "../api/secure/listen.ts";
import { Tokens } from "../api/secure/tokens.ts";
import type { StatusParts } from "../api/status.ts";
import type { ApiSettings } from "../configuration/daemon-settings.ts";
import { formatListenPlace, type ListenPlace } from "../configuration/listen-place.ts";
import type { Control } from "../control/control.ts";
import type { Log } from "./log.ts";

interface Served {
  readonly control: Control;
  readonly status: StatusParts;
  readonly version: string;
}

export interface Listener<Place> extends AsyncDisposable {
  /** The one that it was asked for last. */
  readonly place: Place;
  /** The same address and port, other files. Throws a ListenError, and goes on with those before. */
  renew(place: Place): void;
  /** Reads its files anew; where they cannot be used, it says so, and goes on with those before. */
  reread(): void;
  /** Nobody else comes in; who is being answered is, for a while. */
  retire(): void;
}

/** Until it is disposed. */
export async function serveMetrics(
  place: ListenPlace,
  { control, status, version }: Served,
  { lines }: Log,
): Promise<Listener<ListenPlace>> {
  const page = () => metrics(control, { version, status });
  const listening = await listenForMetrics(place, page, (message) => lines.warn(message));
  lines.info(
    { event: "metrics-served", listen: formatListenPlace(place) },
    "the metrics are served",
  );
  return {
    place,
    renew() {},
    reread() {},
    retire() {
      void listening.retire();
      const facts = { event: "metrics-closed", listen: formatListenPlace(place) };
      lines.info(facts, "the metrics are no longer served there");
    },
    [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose](),
  };
}

/** Until it is disposed. */
export async function serveApi(
  app: Hono,
  place: ApiSettings,
  { lines }: Log,
): Promise<Listener<ApiSettings>> {
  let current = place;
  const listening = await listenSecurely(app, place, {
    tokens: tokensOf(place),
    onCall: (record) => lines.info({ event: "api-called", ...record }, "a command came over TCP"),
    onRefused: (record, why) =>
      lines.warn({ event: "api-refused", ...record, why }, `a call over TCP was refused: ${why}`),
    onTrouble: (message) => lines.warn(message),
  });
  lines.info(
    { event: "api-served", listen: formatListenPlace(place) },
    "the API is served over TCP",
  );
  return {
    get place() {
      return current;
    },
    renew(next) {
      listening.renew({ place: next, tokens: tokensOf(next) });
      current = next;
    },
    reread() {
      try {
        listening.renew();
      } catch (error) {
        lines.error({ event: "certificate-refused", err: error }, "the certificate stays as it is");
      }
    },
    retire() {
      void listening.retire();
      const facts = { event: "api-closed", listen: formatListenPlace(place) };
      lines.info(facts, "the API is no longer served there");
    },
    [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose](),
  };
}

function tokensOf({ tokens = DEFAULT_TOKENS }: ApiSettings): Tokens {
  return new Tokens(tokens);
}
