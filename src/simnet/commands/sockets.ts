/** `ss` of iproute2 and `netstat` of net-tools: who listens, who is connected. */
import { Address } from "../../net/address.ts";
import type { Host } from "../host/host.ts";
import { type Context, immediate, type Program } from "../shell/program.ts";

interface Row {
  readonly protocol: "tcp" | "udp";
  readonly state: string;
  readonly received: number;
  readonly sent: number;
  readonly local: Address | undefined;
  readonly localPort: number;
  readonly peer: Address | undefined;
  readonly peerPort: number;
  readonly family: Address["family"];
  /** Undefined: the host's alone, no process has it any more. */
  readonly program: string | undefined;
}

const BACKLOG = 511;

function rowsOf(host: Host): readonly Row[] {
  const listeners = [...host.tcp.listeners].map(
    ({ address, port, family, program }): Row => ({
      protocol: "tcp",
      state: "LISTEN",
      received: 0,
      sent: BACKLOG,
      local: address,
      localPort: port,
      peer: undefined,
      peerPort: 0,
      family,
      program,
    }),
  );
  const connections = host.tcp.connections.map((connection): Row => {
    const { ends, state, queues, isOrphan, program } = connection;
    return {
      protocol: "tcp",
      state,
      received: queues.received,
      sent: queues.sent,
      local: ends.local,
      localPort: ends.localPort,
      peer: ends.peer,
      peerPort: ends.peerPort,
      family: ends.peer.family,
      program: isOrphan ? undefined : program,
    };
  });
  const datagrams = [...host.udp.sockets].map(
    ({ address, port, program }): Row => ({
      protocol: "udp",
      state: "UNCONN",
      received: 0,
      sent: 0,
      local: address,
      localPort: port,
      peer: undefined,
      peerPort: 0,
      family: address?.family ?? "inet",
      program,
    }),
  );
  return [...datagrams, ...listeners, ...connections];
}

const isResting = ({ state }: Row): boolean => state === "LISTEN" || state === "UNCONN";

export const ss: Program = immediate((words, context) => {
  const letters = words
    .filter((word) => /^-[a-zA-Z0-9]+$/.test(word))
    .join("")
    .replaceAll("-", "");
  const unknown = [...letters.matchAll(/[^tulanpHeiomrs46wxOD]/g)][0]?.[0];
  if (unknown !== undefined) {
    context.err.write(`ss: invalid option -- '${unknown}'\n`);
    return 255;
  }
  const has = (letter: string): boolean => letters.includes(letter);
  const filter = filterIn(words.filter((word) => !word.startsWith("-")));
  if (filter === undefined) {
    context.err.write("Error: an inet prefix is expected rather than what was given.\n");
    return 1;
  }
  const wantsBoth = has("t") === has("u");
  const rows = rowsOf(context.host).filter(
    (row) =>
      (wantsBoth || (has("t") ? row.protocol === "tcp" : row.protocol === "udp")) &&
      (has("a") || filter.namesState || isResting(row) === has("l")) &&
      (has("4") === has("6") || (has("4") ? row.family === "inet" : row.family === "inet6")) &&
      filter.fits(row),
  );
  write(rows, { withProtocol: wantsBoth, withProgram: has("p"), withTitle: !has("H") }, context);
  return 0;
});

const STATES: Readonly<Record<string, readonly string[]>> = {
  established: ["ESTAB"],
  "syn-sent": ["SYN-SENT"],
  "syn-recv": ["SYN-RECV"],
  "time-wait": ["TIME-WAIT"],
  "fin-wait-1": ["FIN-WAIT-1"],
  "fin-wait-2": ["FIN-WAIT-2"],
  "close-wait": ["CLOSE-WAIT"],
  "last-ack": ["LAST-ACK"],
  listening: ["LISTEN"],
};

function filterIn(
  words: readonly string[],
): { readonly namesState: boolean; readonly fits: (row: Row) => boolean } | undefined {
  const tests: ((row: Row) => boolean)[] = [];
  let namesState = false;
  const all = words
    .join(" ")
    .replace(/[()]/g, " ")
    .trim()
    .split(/\s+/)
    .filter((word) => word !== "" && word !== "and");
  for (let at = 0; at < all.length; at++) {
    const word = all[at]!;
    if (word === "state") {
      const states = STATES[all[++at] ?? ""];
      if (states === undefined) return undefined;
      namesState = true;
      tests.push(({ state }) => states.includes(state));
    } else if (word === "sport" || word === "dport") {
      if (/^(=|==|eq)$/.test(all[at + 1] ?? "")) at++;
      const port = Number((all[++at] ?? "").replace(/^:/, "").replace(/^http$/, "80"));
      tests.push((row) => (word === "sport" ? row.localPort : row.peerPort) === port);
    } else if (word === "src" || word === "dst") {
      const address = Address.parse((all[++at] ?? "").replace(/^\[|\]$/g, ""));
      if (address === undefined) return undefined;
      tests.push((row) => (word === "src" ? row.local : row.peer)?.equals(address) === true);
    } else return undefined;
  }
  return { namesState, fits: (row) => tests.every((test) => test(row)) };
}

function write(
  rows: readonly Row[],
  shown: {
    readonly withProtocol: boolean;
    readonly withProgram: boolean;
    readonly withTitle: boolean;
  },
  { out }: Context,
): undefined {
  const cells = rows.map((row) => ({
    protocol: row.protocol,
    state: row.state,
    received: `${row.received}`,
    sent: `${row.sent}`,
    local: placeText(row.local, row.family),
    localPort: `${row.localPort}`,
    peer: placeText(row.peer, row.family),
    peerPort: row.peer === undefined ? "*" : `${row.peerPort}`,
    program:
      shown.withProgram && row.program !== undefined ? `users:(("${row.program}",pid=1,fd=3))` : "",
  }));
  const title = {
    protocol: "Netid",
    state: "State",
    received: "Recv-Q",
    sent: "Send-Q",
    local: "Local Address",
    localPort: "Port",
    peer: "Peer Address",
    peerPort: "Port",
    program: "Process",
  };
  const all = shown.withTitle ? [title, ...cells] : cells;
  const width = (name: keyof typeof title): number =>
    Math.max(...all.map((cell) => cell[name].length));
  for (const cell of all) {
    const columns = [
      ...(shown.withProtocol ? [cell.protocol.padEnd(width("protocol"))] : []),
      cell.state.padEnd(width("state")),
      cell.received.padEnd(width("received")),
      cell.sent.padEnd(width("sent")),
      `${cell.local.padStart(width("local"))}:${cell.localPort.padEnd(width("localPort"))}`,
      `${cell.peer.padStart(width("peer"))}:${cell.peerPort.padEnd(width("peerPort"))}`,
    ];
    const last = cell === title ? cell.program : ` ${cell.program}`;
    out.write(`${columns.join(" ")}${last}`.trimEnd().concat("\n"));
  }
}

function placeText(address: Address | undefined, family: Address["family"]): string {
  if (address !== undefined) return family === "inet6" ? `[${address}]` : `${address}`;
  return family === "inet" ? "0.0.0.0" : "[::]";
}

/** As net-tools spells states. */
const LONG_STATES: Readonly<Record<string, string>> = {
  ESTAB: "ESTABLISHED",
  "SYN-RECV": "SYN_RECV",
  "SYN-SENT": "SYN_SENT",
  "FIN-WAIT-1": "FIN_WAIT1",
  "FIN-WAIT-2": "FIN_WAIT2",
  "TIME-WAIT": "TIME_WAIT",
  "CLOSE-WAIT": "CLOSE_WAIT",
  "LAST-ACK": "LAST_ACK",
  UNCONN: "",
};

export const netstat: Program = immediate((words, { host, out }) => {
  const letters = words.join("").replaceAll("-", "");
  const has = (letter: string): boolean => letters.includes(letter);
  const wantsBoth = has("t") === has("u");
  const rows = rowsOf(host).filter(
    (row) =>
      (wantsBoth || (has("t") ? row.protocol === "tcp" : row.protocol === "udp")) &&
      (has("a") || isResting(row) === has("l")),
  );
  const which = has("a") ? "servers and established" : has("l") ? "only servers" : "w/o servers";
  const owner = has("p") ? "       PID/Program name    " : "      ";
  out.write(
    `Active Internet connections (${which})\nProto Recv-Q Send-Q Local Address           Foreign Address         State ${owner}\n`,
  );
  for (const row of rows) {
    const place = (address: Address | undefined, port: number): string =>
      `${address ?? (row.family === "inet" ? "0.0.0.0" : "::")}:${port === 0 ? "*" : port}`;
    const protocol = row.family === "inet6" ? `${row.protocol}6` : row.protocol;
    const state = (LONG_STATES[row.state] ?? row.state).padEnd(11);
    const sent = row.state === "LISTEN" ? 0 : row.sent;
    const program = has("p")
      ? ` ${(row.program === undefined ? "-" : `1/${row.program}`).padEnd(19)} `
      : " ";
    out.write(
      `${protocol.padEnd(5)} ${`${row.received}`.padStart(6)} ${`${sent}`.padStart(6)} ${place(row.local, row.localPort).padEnd(23)} ${place(row.peer, row.peerPort).padEnd(23)} ${state}${program}\n`,
    );
  }
  return 0;
});
