/** `sluice explain`: what would become of a client's first packet now, step by step. */

import { formatServiceId, parseServiceId } from "../../api/ids.ts";
import type { WireQuestion } from "../../api/messages.ts";
import { keyToWire, type WireEndpoint, type WireServiceKey } from "../../control/wire.ts";
import { formatServiceKey } from "../../ipvs/desired/service.ts";
import { Address } from "../../net/address.ts";
import { FLAG, readArguments } from "../arguments.ts";
import { serviceNames } from "../names.ts";
import { type Around, ask, EXIT, type ExitCode, UsageError } from "../question.ts";
import { processSurroundings } from "../surroundings.ts";
import { explainPage } from "./page.ts";

const HELP = `Usage: sluice explain [options] CLIENT[:PORT] SERVICE

What would become of a client's first packet to a service, now: which service gets it, whether the client has a connection
or a template already, each server with its load and whether it may be chosen, which one is, what is rewritten, and where
the packet leaves. It is tried in a copy of the director with the same state, so what is told is what would happen; no
packet is sent and nothing changes. Not foreseen is whom a full table or a defence against attacks turns away by lot.

SERVICE is an id (tcp:10.0.0.1:80, udp:[2001:db8::1]:53, fwmark:7), an address with a port (of TCP), or a name in the file
that was applied.

      --what-if CHANGE   as if that were done: "weight 192.168.150.12=0", "remove 192.168.150.13:80", or a FILE: as if
                         that sluice.yaml were applied; may be given more than once, but for files
      --to ADDRESS:PORT  where the packet goes: of a service for a firewall mark, or for any port
      --protocol NAME    of a service for a firewall mark: tcp (default), udp or sctp
      --json             one JSON object, as POST /v1/services/ID/explain has it
  -h, --help             this

Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 0 a server would get it, 3 none would, 1 it could not be told, 2 wrong arguments.
`;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Around): Promise<ExitCode> {
  return ask("explain", around, async (client) => {
    const { values, positionals } = readArguments(args, OPTIONS);
    if (values.help) {
      await around.write(HELP);
      return EXIT.done;
    }
    const [from, word, ...more] = positionals;
    if (from === undefined || word === undefined || more.length > 0) {
      throw new UsageError(
        `expected CLIENT[:PORT] SERVICE, got ${positionals.join(" ") || "nothing"}`,
      );
    }
    const { file, changes } = whatIf(values["what-if"]);
    const question: WireQuestion = {
      client: endpoint(from, "CLIENT"),
      to: values.to === undefined ? null : endpoint(values.to, "--to"),
      protocol: protocolOf(values.protocol),
      whatIf: changes,
    };
    const wanted = file === undefined ? undefined : await wantedBy(file, around);
    if (file !== undefined && wanted === undefined) return EXIT.failed;
    // Of what a file would be, it says the names.
    const service = serviceOf(word, wanted?.names ?? (await serviceNames(client)));
    const said =
      wanted === undefined
        ? await client.call("explain", { service }, question)
        : await client.explainWith(
            { ...question, service: formatServiceId(service) },
            wanted.lines,
          );
    await around.write(values.json ? `${JSON.stringify(said, undefined, 2)}\n` : explainPage(said));
    return said.choice === undefined ? EXIT.wrong : EXIT.done;
  });
}

function serviceOf(word: string, names: ReadonlyMap<string, string>): WireServiceKey {
  const [named] = [...names].find(([, name]) => name === word) ?? [];
  const key = parseServiceId(named ?? word) ?? parseServiceId(`tcp:${word}`);
  if (key !== undefined) return keyToWire(key);
  throw new UsageError(
    `SERVICE ${word}: expected an id such as tcp:10.0.0.1:80 or fwmark:7, or a name in the file that was applied`,
  );
}

function protocolOf(text: string | undefined): "tcp" | "udp" | "sctp" | null {
  const known = (["tcp", "udp", "sctp"] as const).find((each) => each === text);
  if (text === undefined) return null;
  if (known !== undefined) return known;
  throw new UsageError(`--protocol ${text}: expected tcp, udp or sctp`);
}

/** `10.0.0.2`, `10.0.0.2:80`, `2001:db8::2`, `[2001:db8::2]:80`. */
function endpoint(text: string, what: string): WireEndpoint {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = Address.parse(bracketed ?? plain ?? text);
  const port = Number(digits ?? 0);
  if (address !== undefined && port <= 0xffff) return { address: `${address}`, port };
  throw new UsageError(
    `${what} ${text}: expected an address, with a port or without, such as 192.0.2.1:80`,
  );
}

type Change = NonNullable<WireQuestion["whatIf"]>[number];

/** Changes begin with a word of ours, files do not, or are written ./weight. */
function whatIf(texts: readonly string[]): {
  readonly file: string | undefined;
  readonly changes: readonly Change[];
} {
  const isChange = (text: string): boolean => /^(weight|remove)( |$)/.test(text);
  const [file, ...more] = texts.filter((text) => !isChange(text));
  if (more.length > 0) {
    throw new UsageError(`--what-if ${more[0]}: a file is given already, ${file}`);
  }
  return { file, changes: texts.filter(isChange).map(change) };
}

/** What the file says; undefined when it is not right: then all that is wrong was told. */
async function wantedBy(file: string, around: Around) {
  // YAML and its schema are not for those who ask about what stands.
  const { readConfiguration, toWire } = await import("../configuration/reading.ts");
  const configuration = await readConfiguration(file, around, false);
  if (configuration === undefined) return undefined;
  const names = new Map<string, string>();
  for (const { spec } of configuration.wanted.services) {
    const name = configuration.names.get(formatServiceKey(spec.key));
    if (name !== undefined) names.set(formatServiceId(keyToWire(spec.key)), name);
  }
  return { names, lines: toWire(configuration, { keepsOthers: false }) };
}

function change(text: string): Change {
  const [, server = "", weight] = /^weight (\S+)=(\d{1,10})$/.exec(text) ?? [];
  if (weight !== undefined) {
    return { server: endpoint(server, "--what-if"), weight: Number(weight) };
  }
  const [, gone] = /^remove (\S+)$/.exec(text) ?? [];
  if (gone !== undefined) return { server: endpoint(gone, "--what-if"), weight: null };
  throw new UsageError(
    `--what-if ${JSON.stringify(text)}: expected "weight SERVER=NUMBER", "remove SERVER" or a file`,
  );
}

const OPTIONS = {
  "what-if": { type: "string", multiple: true, default: [] as string[] },
  to: { type: "string" },
  protocol: { type: "string" },
  json: FLAG,
} as const;
