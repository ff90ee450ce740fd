/** The seam between what receivers of events have in common and how one of them is told. */
import type { NotifyWay } from "../../configuration/notify.ts";
import type { KeptEvent } from "../../control/events.ts";

export interface Way {
  /** For what is said of it: without secrets. */
  readonly name: string;
  /** How often it is tried. */
  readonly tries: number;
  /** How many events it is told of at one go when more than a few wait. */
  readonly togetherMax: number;
  /** Whether there is anything to tell it of this one. */
  takes(event: KeptEvent): boolean;
  /** Why not; undefined: it was told. Ends when `signal` says so. */
  tell(events: readonly KeptEvent[], signal: AbortSignal): Promise<string | undefined>;
}

/** Each is loaded where it is asked for. */
export async function openWay(way: NotifyWay): Promise<Way> {
  switch (way.kind) {
    case "exec": {
      const { program } = await import("./program.ts");
      return program(way);
    }
    case "webhook": {
      const { webhook } = await import("./webhook.ts");
      return webhook(way.url);
    }
    case "mail": {
      const { mail } = await import("./mail.ts");
      return mail(way);
    }
  }
}
