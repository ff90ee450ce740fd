/** What `sluice decapsulate` is asked for. */
import { parseArgs } from "node:util";
import { type Prefix, parsePrefix } from "../net/prefix.ts";

export interface CommandOptions {
  readonly interfaces: readonly string[];
  readonly guePort: number | undefined;
  readonly sources: readonly Prefix[];
}

/** The arguments make no sense; the message says which and what would. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const DECAPSULATE_HELP = `Usage: sluice decapsulate --on INTERFACE [options]

Runs on a real server, beside its service: takes the director's tunnel packets apart (IP in IP, GRE, GUE, IPv4 and IPv6
in either) and gives what is inside to the host's own stack, for kernels without the ipip, ip_gre or fou modules. Stays
in the foreground until SIGTERM or SIGINT. Needs nft, and CAP_NET_ADMIN and CAP_NET_RAW: root, or root in a user
namespace.

  --on INTERFACE   where tunnel packets come in; may be given more than once
  --gue-port PORT  the UDP port of GUE, as ipvsadm's --tun-port has it; without it GUE is not taken
  --from ADDRESS[/LENGTH]
                   a director's address, or a network of them; may be given more than once. Without it tunnels may begin
                   anywhere. Packets are taken before the host's firewall sees them, so name the directors here
  -h, --help       this

What is taken: packets to an address of this host, and inside of them packets to an address of this host, as the VIP on
lo, from one that is not. Checksums are checked where there are any, outer fragments are put together, congestion marks
are handed on. All else is dropped and counted. The host's own stack does not see the tunnel packets meanwhile, so it
does not answer "unreachable", and its own tunnels do not work on these interfaces.

Set up the VIP as for direct routing: on lo with a mask of 32 bits, arp_ignore 1 and arp_announce 2 before. rp_filter may
be as it is: packets come out of sluice's own interface sluice-inner, which is set to 2 (loose).

SIGUSR1 prints how many packets went where, by reason; so does the end.

Exit status: 0 ended by a signal, 1 could not start or go on, 2 wrong arguments.
`;

export function parseOptions(args: readonly string[]): CommandOptions | "help" {
  const values = read(args);
  if (values.help === true) return "help";
  const interfaces = (values.on ?? []).map(toInterface);
  if (interfaces.length === 0) {
    throw new UsageError("--on is missing: expected the interface where tunnel packets come in");
  }
  return {
    interfaces: [...new Set(interfaces)],
    guePort: values["gue-port"] === undefined ? undefined : toPort(values["gue-port"]),
    sources: (values.from ?? []).map(toSource),
  };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        on: { type: "string", multiple: true },
        "gue-port": { type: "string" },
        from: { type: "string", multiple: true },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    // Its first sentence says what is wrong; the others are about Node's own conventions.
    if (error instanceof TypeError) throw new UsageError(error.message.replace(/\. .*/s, ""));
    throw error;
  }
}

/** What Linux takes as a name (dev_valid_name()), but for quotes, which nft's language has not. */
function toInterface(name: string): string {
  if (/^[^\s/:"]{1,15}$/.test(name) && name !== "." && name !== "..") return name;
  throw new UsageError(`--on ${name}: expected an interface's name`);
}

function toPort(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 1 && port <= 0xffff) return port;
  throw new UsageError(`--gue-port ${text}: expected a whole number from 1 to 65535`);
}

function toSource(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix !== undefined) return prefix;
  throw new UsageError(`--from ${text}: expected an address or a network, as 192.0.2.0/24`);
}
