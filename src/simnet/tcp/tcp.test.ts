/** TCP between two simulated hosts: what each segment brings, also when some are lost. */
import { expect, test } from "vitest";
import { Address } from "../../net/address.ts";
import { parseMac } from "../../net/mac-address.ts";
import type { Port } from "../../net/port.ts";
import { PROGRAMS } from "../commands/index.ts";
import { Simulation } from "../simulation.ts";
import { frameText } from "../text/frame-text.ts";
import type { TcpConnection } from "./connection.ts";

const CLIENT = "10.0.0.1";
const SERVER = "10.0.0.2";
const PORT = 80 as Port;

interface Pair {
  readonly simulation: Simulation;
  readonly connect: (port?: number) => TcpConnection;
  /** What the server's listener was handed. */
  readonly accepted: readonly TcpConnection[];
  /** Segments on the wire since the last call: who sent each, its flags, and how much it carries. */
  readonly wire: () => readonly string[];
}

async function pair(): Promise<Pair> {
  const simulation = new Simulation({ seed: 3, programs: PROGRAMS });
  const lan = simulation.addSwitch("lan");
  for (const [index, name] of ["client", "server"].entries()) {
    const host = simulation.addHost(name);
    host.plug("eth0", parseMac(`02:00:00:00:00:0${index + 1}`)!, lan);
    await simulation.run(name, "ip link set lo up; ip link set eth0 up");
    await simulation.run(name, `ip addr add 10.0.0.${index + 1}/24 brd + dev eth0`);
  }
  await simulation.run("client", `ping -c 1 ${SERVER}`);
  const accepted: TcpConnection[] = [];
  const listening = simulation.host("server").tcp.listen({
    family: "inet",
    address: undefined,
    port: PORT,
    program: "test",
    accept: (connection) => accepted.push(connection),
  });
  expect(listening).toBeTypeOf("function");
  let looked = simulation.journal.count;
  return {
    simulation,
    accepted,
    connect: (port = PORT) => {
      const to = { address: Address.parse(SERVER)!, port: port as Port };
      const connection = simulation.host("client").tcp.connect(to);
      if (typeof connection === "string") throw new Error(connection);
      return connection;
    },
    wire: () => {
      const events = simulation.events.filter(({ number }) => number >= looked);
      looked = simulation.journal.count;
      return events.flatMap((event) => {
        if (event.kind !== "frame-sent") return [];
        const [, flags, length] =
          /Flags \[(\S+)\].*length (\d+)/.exec(frameText(event.bytes, false)) ?? [];
        return flags === undefined ? [] : [`${event.host} ${flags} ${length}`];
      });
    },
  };
}

/** Until the client's segments are let through again. */
async function loseFrom(simulation: Simulation, ...what: readonly string[]): Promise<void> {
  for (const each of what) await simulation.run("server", `iptables -A INPUT ${each} -j DROP`);
}

const loseAll = "-p tcp";
const read = (connection: TcpConnection): string => new TextDecoder().decode(connection.read());
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function opened(): Promise<
  Pair & { readonly client: TcpConnection; readonly server: TcpConnection }
> {
  const both = await pair();
  const client = both.connect();
  await both.simulation.pass(10);
  both.wire();
  return { ...both, client, server: both.accepted[0]! };
}

test("a handshake of three segments, and each side knows of it", async () => {
  const { simulation, connect, accepted, wire } = await pair();
  const client = connect();
  expect(client.state).toBe("SYN-SENT");
  await simulation.pass(10);
  expect(wire()).toEqual(["client S 0", "server S. 0", "client . 0"]);
  expect([client.state, accepted.length, accepted[0]!.state]).toEqual(["ESTAB", 1, "ESTAB"]);
});

test("nobody listens: RST, and the connection is refused", async () => {
  const { simulation, connect, wire } = await pair();
  const client = connect(81);
  await simulation.pass(10);
  expect(wire()).toEqual(["client S 0", "server R. 0"]);
  expect([client.state, client.error]).toEqual(["CLOSED", "ECONNREFUSED"]);
  expect(simulation.host("client").tcp.connections).toEqual([]);
});

test("a SYN that nobody answers is repeated after 1, 2, 4 ... seconds, and given up", async () => {
  const { simulation, connect, wire } = await pair();
  await loseFrom(simulation, loseAll);
  const client = connect();
  const at: number[] = [];
  for (let second = 0; second < 130; second++) {
    if (wire().length > 0) at.push(second);
    await simulation.pass(1_000);
  }
  // tcp_syn_retries: six more than the first.
  expect(at).toEqual([0, 1, 3, 7, 15, 31, 63]);
  expect([client.state, client.error]).toEqual(["CLOSED", "ETIMEDOUT"]);
});

test("a SYN ACK that is lost comes again", async () => {
  const { simulation, connect, wire } = await pair();
  await simulation.run("client", "iptables -A INPUT -p tcp -j DROP");
  const client = connect();
  await simulation.pass(10);
  await simulation.run("client", "iptables -D INPUT -p tcp -j DROP");
  await simulation.pass(4_000);
  expect(client.state).toBe("ESTAB");
  expect(wire().filter((each) => each === "server S. 0").length).toBeGreaterThan(1);
});

test("data goes in segments that fit, and is acknowledged", async () => {
  const { simulation, client, server, wire } = await opened();
  client.write(new Uint8Array(3_000));
  expect(client.queues.sent).toBe(3_000);
  await simulation.pass(10);
  expect(wire()).toEqual([
    "client . 1460",
    "client . 1460",
    "client P. 80",
    "server . 0",
    "server . 0",
    "server . 0",
  ]);
  expect([client.queues.sent, server.queues.received]).toEqual([0, 3_000]);
  expect(server.read().length).toBe(3_000);
});

test("a segment that is lost comes again, and what came after it is in its place", async () => {
  const { simulation, client, server, wire } = await opened();
  await loseFrom(simulation, loseAll);
  client.write(bytes("one "));
  await simulation.pass(10);
  await simulation.run("server", "iptables -D INPUT -p tcp -j DROP");
  client.write(bytes("two"));
  await simulation.pass(5_000);
  expect(read(server)).toBe("one two");
  expect(wire()[0]).toBe("client P. 4");
  expect(client.queues.sent).toBe(0);
});

test("whoever hears nothing more gives up after fifteen times", async () => {
  const { simulation, client } = await opened();
  await loseFrom(simulation, loseAll);
  client.write(bytes("hello"));
  await simulation.pass(1_500_000);
  expect([client.state, client.error]).toEqual(["CLOSED", "ETIMEDOUT"]);
});

test("FIN by one side, then by the other; who was first rests for a minute", async () => {
  const { simulation, client, server, wire } = await opened();
  client.close();
  await simulation.pass(10);
  expect([client.state, server.state, server.isAtEnd]).toEqual(["FIN-WAIT-2", "CLOSE-WAIT", true]);
  server.close();
  await simulation.pass(10);
  expect(wire()).toEqual(["client F. 0", "server . 0", "server F. 0", "client . 0"]);
  expect([client.state, server.state]).toEqual(["TIME-WAIT", "CLOSED"]);
  await simulation.pass(61_000);
  expect(client.state).toBe("CLOSED");
});

test("FIN by both at once", async () => {
  const { simulation, client, server } = await opened();
  client.close();
  server.close();
  await simulation.pass(10);
  expect([client.state, server.state]).toEqual(["TIME-WAIT", "TIME-WAIT"]);
});

test("a FIN comes after all that was written before it, also when that is lost", async () => {
  const { simulation, client, server } = await opened();
  await loseFrom(simulation, loseAll);
  client.write(bytes("the last words"));
  client.close();
  await simulation.pass(10);
  expect(server.state).toBe("ESTAB");
  await simulation.run("server", "iptables -D INPUT -p tcp -j DROP");
  await simulation.pass(5_000);
  expect([read(server), server.isAtEnd]).toEqual(["the last words", true]);
});

test("the other half stays open: what comes after a FIN is read", async () => {
  const { simulation, client, server } = await opened();
  server.close();
  await simulation.pass(10);
  expect(client.state).toBe("CLOSE-WAIT");
  client.write(bytes("late"));
  await simulation.pass(10);
  // Nobody reads it there any more: RFC 9293 section 3.6.1, and Linux resets.
  expect([client.state, client.error]).toEqual(["CLOSED", "ECONNRESET"]);
});

test("RST ends both sides at once", async () => {
  const { simulation, client, server, wire } = await opened();
  client.abort();
  await simulation.pass(10);
  expect(wire()).toEqual(["client R. 0"]);
  expect([client.state, server.state, server.error]).toEqual(["CLOSED", "CLOSED", "ECONNRESET"]);
});

test("a smaller MTU on the way is learnt, and the data comes through", async () => {
  const { simulation, client, server, wire } = await opened();
  client.hear({ kind: "too-big", mtu: 600 });
  client.write(new Uint8Array(1_200));
  await simulation.pass(10);
  expect(wire().filter((each) => each.startsWith("client"))).toContain("client . 560");
  expect(server.read().length).toBe(1_200);
});

test("two listeners at one port: the one that is bound to the address is asked", async () => {
  const { simulation, accepted, connect } = await pair();
  const mine: TcpConnection[] = [];
  const { tcp } = simulation.host("server");
  const listener = {
    family: "inet",
    port: 8080 as Port,
    program: "test",
    accept: (connection: TcpConnection) => mine.push(connection),
  } as const;
  expect(tcp.listen({ ...listener, address: Address.parse(SERVER)! })).toBeTypeOf("function");
  expect(tcp.listen({ ...listener, address: undefined })).toBe("EADDRINUSE");
  expect(tcp.listen({ ...listener, address: Address.parse(CLIENT)! })).toBe("EADDRNOTAVAIL");
  connect(8080);
  await simulation.pass(10);
  expect([mine.length, accepted.length]).toEqual([1, 0]);
});
