/** `sluice trace`: what becomes of packets, as they go by. */
import type { WireTracedPacket } from "../../api/messages.ts";
import { FLAG, readArguments } from "../arguments.ts";
import { type Around, ask, EXIT, type ExitCode, UsageError } from "../question.ts";
import { processSurroundings } from "../surroundings.ts";
import { readTerms } from "../terms.ts";
import type { CaptureFile } from "./capture-file.ts";
import { lineOf } from "./line.ts";

const TERMS = [
  "client",
  "virtual",
  "server",
  "service",
  "state",
  "protocol",
  "reason",
  "connection",
];

const HELP = `Usage: sluice trace [options] [TERM=VALUE ...]

What becomes of packets while they go by, a line each, until Ctrl-C: whether a connection was found or opened, whom the
scheduler chose and what else it could have chosen, what was rewritten, by which interface and to whom the packet left,
and the reason, which sluice reasons has in words. (userspace) is what the director decided, (kernel) what the program
in the kernel forwarded by itself. Those are shown for which each term is true:

  client=10.0.0.9        a client's address, 10.0.0.0/8, or 10.0.0.9:4711: both directions
  virtual=10.0.0.1:80    what it talks to, with or without a port
  server=10.0.0.2:80     the server that it goes to, with or without a port
  service=tcp:10.0.0.1:80   the service that it goes by: an id, or a name in the file that was applied
  state=ESTABLISHED      its connection's after it, as listings name it
  protocol=tcp           tcp, udp, sctp, icmp
  reason=drop            how its reason begins
  connection=new         those that opened one; found: all others

      --rate N     so many packets a second at most (1000); what was not told is counted and said
      --count N    ends after so many packets
      --json       a JSON object a line
      --pcap FILE  writes their headers into FILE as well, with what became of them as comments, for Wireshark
  -h, --help       this

Nobody's data is shown, headers alone. While nobody watches this costs nothing; while somebody does, a flood costs no
more than the rate allows.
Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 0 done, 1 it could not be done or the daemon ended, 2 wrong arguments.
`;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Around): Promise<ExitCode> {
  return ask("trace", around, async (client) => {
    const { values, positionals } = readArguments(args, OPTIONS);
    if (values.help) {
      await around.write(HELP);
      return EXIT.done;
    }
    const count = numberOf("--count", values.count) ?? Number.POSITIVE_INFINITY;
    const rate = numberOf("--rate", values.rate);
    const query = {
      ...(await readTerms(positionals, TERMS, client)),
      ...(rate === undefined ? {} : { rate: String(rate) }),
      ...(values.pcap === undefined ? {} : { headers: "yes" }),
    };
    using file = values.pcap === undefined ? undefined : await captureFile(values.pcap);
    const show = values.json ? inJson : inWords;
    let told = 0;
    for await (const { event, data } of client.events(query, "trace")) {
      if (event === "untold") {
        const { untold } = data as { readonly untold: number };
        if (values.json) await around.write(`${JSON.stringify({ untold })}\n`);
        else await around.write(`-- ${untold} more packets went by than could be told (--rate)\n`);
        continue;
      }
      const packet = data as WireTracedPacket;
      file?.add(packet);
      await around.write(show(packet));
      if (++told >= count) return EXIT.done;
    }
    around.complain("sluice trace: the daemon ended\n");
    return EXIT.failed;
  });
}

async function captureFile(path: string): Promise<CaptureFile> {
  const { CaptureFile } = await import("./capture-file.ts");
  try {
    return new CaptureFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`--pcap ${path}: cannot be written: ${code}`);
  }
}

function inJson(packet: WireTracedPacket): string {
  return `${JSON.stringify(packet)}\n`;
}

function inWords(packet: WireTracedPacket): string {
  return `${lineOf(packet)}\n`;
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`${name} ${text}: expected a number from 1`);
}

const OPTIONS = {
  rate: { type: "string" },
  count: { type: "string" },
  json: FLAG,
  pcap: { type: "string" },
} as const;
