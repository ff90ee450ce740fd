/** Programs that other balancers run, and mail that they send, when something is up or down: receivers of events. */
import type { FileContent } from "../configuration/schema.ts";
import { mailContent } from "./mail-content.ts";
import type { NotifyScript, VirtualServer } from "./model.ts";
import { endpointId, serviceIdOf } from "./notify-ids.ts";
import type { Notes } from "./told.ts";

type Receiver = NonNullable<FileContent["notify"]>[number];

/** Undefined when there are none. */
export function notifyContent(
  servers: readonly VirtualServer[],
  notes: Notes,
): FileContent["notify"] {
  const scripts = servers.flatMap((server) => receiversOf(server, notes));
  const receivers = [...scripts, ...mailContent(servers)];
  return receivers.length === 0 ? undefined : receivers;
}

function receiversOf(server: VirtualServer, notes: Notes): Receiver[] {
  // Those that share servers are up and down together, and a script is run once.
  const [key] = server.keys;
  if (key === undefined) return [];
  const service = serviceIdOf(key, server.protocol);
  const port = key.kind === "endpoint" ? key.port : 0;
  const isAtEnd = ({ when }: NotifyScript) => when === "down" && server.isToldAtEnd === true;
  return [
    ...(server.scripts ?? []).map((script) => ({
      ...receiver(script, notes),
      service,
      events: [script.when === "up" ? "quorum-gained" : "quorum-lost"],
      ...(isAtEnd(script) ? { atEnd: true } : {}),
    })),
    ...server.realServers.flatMap((real) =>
      (real.scripts ?? []).map((script) => ({
        ...receiver(script, notes),
        service,
        destination: endpointId(real.address, real.port ?? port),
        events: [script.when === "up" ? "destination-up" : "destination-down"],
        ...(isAtEnd(script) ? { atEnd: true } : {}),
      })),
    ),
  ];
}

/** What only a shell makes something of. */
const SHELL = /[;|&<>`]|\$\(/;

/** Its words are its own: nothing follows them. */
function receiver({ at, command, user }: NotifyScript, notes: Notes): Receiver {
  const [program = ""] = command;
  const text = command.join(" ");
  if (user !== undefined) {
    notes.dropped(at, `user ${user}`, "programs run as the daemon's own user does");
  }
  // keepalived 1 had a shell read all of them, and people write for it still.
  if (SHELL.test(text)) {
    notes.note(
      at,
      text,
      `a shell reads it, for ${SHELL.exec(text)![0]}: a script of its own is safer`,
    );
    return { exec: ["/bin/sh", "-c", text], words: false };
  }
  if (!program.includes("/")) {
    notes.note(at, text, `${program} is looked for in the daemon's PATH`);
  }
  const isPlain = command.every((word) => word !== "" && !/\s/.test(word));
  return { exec: isPlain ? command.join(" ") : [...command], words: false };
}
