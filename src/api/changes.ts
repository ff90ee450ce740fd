/** The calls that change something: each alone (server.ts), or a line each of many. */
import { z } from "zod";
import type { Author } from "../control/author.ts";
import type { Control } from "../control/control.ts";
import { destinationFromWire, keyFromWire, serviceFromWire } from "../control/wire.ts";
import {
  DESTINATION_SCHEMA,
  DRAIN_SCHEMA,
  SERVICE_SCHEMA,
  SYSCTLS_SCHEMA,
  TIMEOUTS_SCHEMA,
} from "../control/wire-schema.ts";
import * as state from "../ipvs/desired/desired-state.ts";
import { drainDestination, undrainDestination } from "../ipvs/desired/drain.ts";
import { LbError } from "../ipvs/desired/errors.ts";
import { formatEndpoint, formatServiceKey } from "../ipvs/desired/service.ts";
import { setSysctls } from "../ipvs/desired/set-sysctl.ts";
import type { ErrorReply } from "./messages.ts";
import type { Commands } from "./precondition.ts";
import { linesOf, mustBeSame, parseJson, readAs, readDestination, readService } from "./reading.ts";
import type { ChangeName } from "./routes.ts";

/** What a call is about, by id, and what it brings. */
export interface ChangeCall {
  readonly service: string;
  readonly destination: string;
  /** JSON; undefined without a body. */
  readonly body?: unknown;
  readonly by: Author;
}

type Change = (control: Commands, call: ChangeCall) => Promise<void>;

/** Each resolves when it is in force and on disk, and throws what refusal.ts words. */
export const CHANGES: Readonly<Record<ChangeName, Change>> = {
  addService: async (control, { body, by }) => {
    const wire = readAs(SERVICE_SCHEMA, body);
    const key = keyFromWire(wire.key);
    await control.change((now) => {
      // Before the names of scheduler and engine are looked at, as in the kernel.
      if (now.services.has(formatServiceKey(key))) {
        throw new LbError({ code: "service-exists", service: key });
      }
      return state.addService(now, serviceFromWire(wire));
    }, by);
  },
  flush: (control, { by }) => control.change(state.flush, by),
  editService: async (control, { service, body, by }) => {
    const key = readService(service);
    const wire = readAs(SERVICE_SCHEMA, body);
    mustBeSame("key", formatServiceKey(key), formatServiceKey(keyFromWire(wire.key)));
    await control.change((now) => {
      if (!now.services.has(formatServiceKey(key))) {
        throw new LbError({ code: "no-such-service", service: key });
      }
      return state.editService(now, serviceFromWire(wire));
    }, by);
  },
  deleteService: async (control, { service, by }) => {
    const key = readService(service);
    await control.change((now) => state.deleteService(now, key), by);
  },
  addDestination: async (control, { service, body, by }) => {
    const key = readService(service);
    const spec = destinationFromWire(readAs(DESTINATION_SCHEMA, body));
    await control.change((now) => state.addDestination(now, key, spec), by);
  },
  editDestination: async (control, { service, destination, body, by }) => {
    const key = readService(service);
    const at = readDestination(destination);
    const spec = destinationFromWire(readAs(DESTINATION_SCHEMA, body));
    mustBeSame("endpoint", formatEndpoint(at), formatEndpoint(spec.endpoint));
    await control.change((now) => state.editDestination(now, key, spec), by);
  },
  deleteDestination: async (control, { service, destination, by }) => {
    const key = readService(service);
    const at = readDestination(destination);
    await control.change((now) => state.deleteDestination(now, key, at), by);
  },
  drain: async (control, { service, destination, body, by }) => {
    const key = readService(service);
    const at = readDestination(destination);
    const { timeoutSeconds, afterwards, force: isForced } = readAs(DRAIN_SCHEMA, body ?? {});
    const asked = {
      since: Date.now(),
      timeoutSeconds: timeoutSeconds ?? undefined,
      afterwards,
      cause: "operator",
      isForced,
    } as const;
    await control.change((now) => drainDestination(now, key, at, asked), by);
  },
  undrain: async (control, { service, destination, by }) => {
    const key = readService(service);
    const at = readDestination(destination);
    await control.change((now) => undrainDestination(now, key, at), by);
  },
  zeroService: async (control, { service }) => control.zero(readService(service)),
  zero: (control) => control.zero(undefined),
  setTimeouts: async (control, { body, by }) => {
    const wanted = readAs(TIMEOUTS_SCHEMA, body);
    await control.change((now) => state.setTimeouts(now, wanted), by);
  },
  setSysctls: async (control, { body, by }) => {
    const wanted = readAs(SYSCTLS_SCHEMA, body);
    await control.change((now) => setSysctls(now, wanted), by);
  },
};

export const LINE_SCHEMA = z.strictObject({
  call: z.enum(Object.keys(CHANGES) as [ChangeName, ...ChangeName[]]),
  service: z.string().default(""),
  destination: z.string().default(""),
  body: z.unknown().optional(),
});

/** Lines of one call that may be under way at once: fewer than commands may wait. */
const UNDER_WAY_MAX = 1_000;

type Answer = Record<string, never> | { readonly error: ErrorReply["error"] };

/** Gives the changes in their order, and yields their answers in theirs: `{}`, or the error of one that is refused. */
export async function* changesByLine(
  control: Control,
  request: Request,
  by: Author,
  errorOf: (error: unknown) => ErrorReply["error"],
): AsyncGenerator<Answer> {
  const underWay: Promise<Answer>[] = [];
  for await (const line of linesOf(request)) {
    const done = changeByLine(control, line, by).then(
      () => ({}),
      (error: unknown) => ({ error: errorOf(error) }),
    );
    underWay.push(done);
    if (underWay.length >= UNDER_WAY_MAX) yield await underWay.shift()!;
  }
  for (const done of underWay) yield await done;
}

async function changeByLine(control: Control, line: string, by: Author): Promise<void> {
  const { call, ...rest } = readAs(LINE_SCHEMA, parseJson(line));
  await CHANGES[call](control, { ...rest, by });
}
