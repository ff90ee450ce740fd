/** Programs that other balancers run when something is up or down, as receivers of events. */
import type { FileContent } from "../configuration/schema.ts";
import type { NotifyScript, VirtualServer, VirtualServerKey } from "./model.ts";
import type { Notes } from "./told.ts";

type Receiver = NonNullable<FileContent["notify"]>[number];

/** Undefined when there are none. */
export function notifyContent(
  servers: readonly VirtualServer[],
  notes: Notes,
): FileContent["notify"] {
  const receivers = servers.flatMap((server) => receiversOf(server, notes));
  return receivers.length === 0 ? undefined : receivers;
}

function receiversOf(server: VirtualServer, notes: Notes): Receiver[] {
  // Those that share servers are up and down together, and a script is run once.
  const [key] = server.keys;
  if (key === undefined) return [];
  const service = serviceId(key, server.protocol);
  const port = key.kind === "endpoint" ? key.port : 0;
  return [
    ...(server.scripts ?? []).map((script) => ({
      ...receiver(script, notes),
      service,
      events: [script.when === "up" ? "quorum-gained" : "quorum-lost"],
    })),
    ...server.realServers.flatMap((real) =>
      (real.scripts ?? []).map((script) => ({
        ...receiver(script, notes),
        service,
        destination: endpointId(real.address, real.port ?? port),
        events: [script.when === "up" ? "destination-up" : "destination-down"],
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

function serviceId(key: VirtualServerKey, protocol: VirtualServer["protocol"]): string {
  if (key.kind === "mark") return `${key.family === "inet6" ? "fwmark6" : "fwmark"}:${key.mark}`;
  return `${protocol}:${endpointId(key.address, key.port)}`;
}

function endpointId(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
