/** The words after `sluice doctor`, as typed values. */
import { FLAG, readArguments } from "../cli/arguments.ts";
import { UsageError } from "../cli/question.ts";
import { Address } from "../net/address.ts";
import type { ServerQuestion } from "./server/examine.ts";

export const DOCTOR_HELP = `Usage: sluice doctor [options]
       sluice doctor --server VIP[:PORT] [options]

Looks for what keeps services from working: asks the host, its daemon and the wire, and says of each thing that is wrong
what shows it, what it leads to, and what mends it. Changes nothing unless told to. Needs root, to ask the wire.

Without --server it examines a director: who answers for each VIP, where each server is and whether it answers a packet
that comes to it as a client's would, routes, forwarding, firewall rules and marks, weights, persistence, timeouts.
Without a running sluice it takes the services of the kernel's IPVS.

      --server VIP[:PORT]  examines a real server of this VIP instead: the VIP, arp_ignore and arp_announce, who listens,
                           the default route, tunnels, the firewall, who sends packets here. Needs no daemon
      --nat                with --server: the director reaches it by NAT (-m); PORT is the server's own
      --tunnel             with --server: by tunnels (-i)
      --udp                with --server: PORT is of UDP
      --listen SECONDS     how long the wire is listened to, 1 to 60 (default 2)
      --fix                asks of each finding whether its commands shall be run, and runs them
      --yes                with --fix: does not ask
      --json               one JSON object: {"findings": [...], "skipped": [...]}
  -h, --help               this

Exit status: 0 nothing is wrong, 1 something is (also when it was mended), 2 wrong arguments, 3 it could not look.
`;

export interface DoctorOptions {
  /** Undefined: a director. */
  readonly server: Omit<ServerQuestion, "listenMs"> | undefined;
  readonly listenMs: number;
  readonly fix: "no" | "ask" | "all";
  readonly json: boolean;
}

const LISTEN_MAX_S = 60;

/** Throws a UsageError. */
export function parseDoctorArguments(args: readonly string[]): DoctorOptions | "help" {
  const { values } = readArguments(
    args,
    {
      server: { type: "string" },
      nat: FLAG,
      tunnel: FLAG,
      udp: FLAG,
      listen: { type: "string", default: "2" },
      fix: FLAG,
      yes: FLAG,
      json: FLAG,
    },
    { allowPositionals: false },
  );
  if (values.help) return "help";
  const { server, nat, tunnel, udp, fix, yes, json } = values;
  for (const [name, isGiven] of Object.entries({ nat, tunnel, udp })) {
    if (isGiven && server === undefined) throw new UsageError(`--${name} goes with --server`);
  }
  if (nat && tunnel) throw new UsageError("--nat and --tunnel exclude each other");
  if (yes && !fix) throw new UsageError("--yes goes with --fix");
  if (fix && json && !yes) throw new UsageError("--fix with --json cannot ask: add --yes");
  const listen = /^\d{1,2}$/.test(values.listen) ? Number(values.listen) : 0;
  if (listen < 1 || listen > LISTEN_MAX_S) {
    throw new UsageError(`--listen ${values.listen}: expected 1 to ${LISTEN_MAX_S} seconds`);
  }
  const forwarding = nat ? "masquerade" : tunnel ? "tunnel" : "route";
  return {
    server:
      server === undefined
        ? undefined
        : { ...toEndpoint(server), protocol: udp ? "udp" : "tcp", forwarding },
    listenMs: listen * 1_000,
    fix: fix ? (yes ? "all" : "ask") : "no",
    json,
  };
}

/** `192.168.150.100`, `192.168.150.100:80`, `fd00::100`, `[fd00::100]:80`. */
function toEndpoint(text: string): { readonly vip: Address; readonly port: number | undefined } {
  const [, bracketed, plain, digits] =
    /^(?:\[([^\]]+)\]|([^:]+|.*:.*:[^:]*))(?::(\d+))?$/.exec(text) ?? [];
  const whole = Address.parse(text);
  const vip = whole ?? Address.parse(bracketed ?? plain ?? "");
  const port = whole !== undefined || digits === undefined ? undefined : Number(digits);
  if (vip === undefined || port === 0 || (port ?? 0) > 0xffff) {
    throw new UsageError(
      `--server ${text}: expected the VIP, as 192.0.2.1 or 192.0.2.1:80 or [2001:db8::1]:80`,
    );
  }
  return { vip, port };
}
