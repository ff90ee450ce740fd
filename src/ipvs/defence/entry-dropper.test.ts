import { describe, expect, test } from "vitest";
import type { Instant } from "../../base/clock.ts";
import { ConnectionTable } from "../connections/connection-table.ts";
import { Binding, CONNECTION_FLAG, Flow } from "../connections/flow.ts";
import { PROTOCOL, TEMPLATE_STATE } from "../connections/protocol-states.ts";
import { SCTP_STATE } from "../connections/sctp-state.ts";
import { TCP_STATE } from "../connections/tcp-state.ts";
import { EntryDropper } from "./entry-dropper.ts";

const ENTRIES = 3000;
const TIMEOUT_MS = 900_000;
const SECOND = 1000;

interface Kind {
  readonly protocol: number;
  readonly state: number;
  readonly packets?: number;
  readonly isTemplate?: boolean;
  readonly isOnePacket?: boolean;
  /** Seconds since its last packet. */
  readonly idle?: number;
}

/** What part of many such entries is left after some seconds of drop_entry. */
function left(kind: Kind, seconds: number): number {
  const table = new ConnectionTable({ limit: 2 * ENTRIES, hashKey: [1, 2] });
  const flow = new Flow();
  const binding = new Binding();
  flow.protocol = kind.protocol;
  binding.flags = kind.isTemplate === true ? CONNECTION_FLAG.template : 0;
  for (let port = 0; port < ENTRIES; port++) {
    flow.clientPort = port;
    const id = table.add(flow, binding, 0 as Instant, TIMEOUT_MS);
    table.setState(id, kind.state);
    table.setInPackets(id, kind.packets ?? 0);
  }
  const dropper = new EntryDropper({
    table,
    seed: 1,
    isOnePacket: () => kind.isOnePacket ?? false,
    drop: (id) => table.remove(id),
  });
  for (let second = 1; second <= seconds; second++) {
    dropper.begin();
    while (dropper.isBusy) dropper.work((SECOND * (kind.idle ?? 0)) as Instant, 50);
  }
  return table.size / ENTRIES;
}

const { tcp, udp, sctp, ip } = PROTOCOL;
/** A 32nd each second, drawn with repetition. */
const IN_TWENTY_SECONDS = (1 - 1 / 4096) ** (128 * 20);

describe("those that began and went no further go", () => {
  test.for<[string, Kind]>([
    ["SYN_RECV", { protocol: tcp, state: TCP_STATE.synRecv }],
    ["SYNACK", { protocol: tcp, state: TCP_STATE.synAck }],
    ["INIT1", { protocol: sctp, state: SCTP_STATE.init1 }],
    ["INIT", { protocol: sctp, state: SCTP_STATE.init }],
    ["a template never assured", { protocol: tcp, state: TEMPLATE_STATE.none, isTemplate: true }],
    ["a mark's", { protocol: ip, state: TEMPLATE_STATE.none, isTemplate: true }],
    ["UDP, idle, one packet", { protocol: udp, state: 0, packets: 1, idle: 60 }],
    ["ESTABLISHED, idle, one packet", { protocol: tcp, state: 1, packets: 1, idle: 60 }],
  ])("%s", ([, kind]) => {
    expect(left(kind, 20)).toBeCloseTo(IN_TWENTY_SECONDS, 1);
  });
});

describe("of those that had n packets one in n goes", () => {
  test.for([2, 4, 8])("%i", (packets) => {
    const kind = { protocol: udp, state: 0, packets, idle: 60 };
    expect(left(kind, 20)).toBeCloseTo(1 - (1 - IN_TWENTY_SECONDS) / packets, 1);
  });
});

describe("all others stay", () => {
  test.for<[string, Kind]>([
    ...Object.entries(TCP_STATE)
      .filter(([name]) => !["synRecv", "synAck", "established"].includes(name))
      .map(([name, state]): [string, Kind] => [
        `TCP ${name}`,
        { protocol: tcp, state, packets: 1, idle: 90 },
      ]),
    ...Object.entries(SCTP_STATE)
      .filter(([name]) => !["init1", "init", "established"].includes(name))
      .map(([name, state]): [string, Kind] => [
        `SCTP ${name}`,
        { protocol: sctp, state, packets: 1, idle: 90 },
      ]),
    ["busy within a minute", { protocol: udp, state: 0, packets: 1, idle: 59 }],
    ["no packets", { protocol: udp, state: 0, packets: 0, idle: 90 }],
    ["nine packets", { protocol: tcp, state: 1, packets: 9, idle: 90 }],
    ["assured", { protocol: tcp, state: TEMPLATE_STATE.assured, isTemplate: true, idle: 90 }],
    [
      "of one packet each",
      { protocol: udp, state: TEMPLATE_STATE.none, isTemplate: true, isOnePacket: true },
    ],
  ])("%s", ([, kind]) => {
    expect(left(kind, 20)).toBe(1);
  });
});

test("one that controls others stays", () => {
  const table = new ConnectionTable({ limit: 2, hashKey: [1, 2] });
  const flow = new Flow();
  const binding = new Binding();
  flow.protocol = udp;
  const other = table.add(flow, binding, 0 as Instant, TIMEOUT_MS);
  binding.flags = CONNECTION_FLAG.template;
  const template = table.add(flow, binding, 0 as Instant, TIMEOUT_MS);
  table.setControl(other, template);
  const dropped: number[] = [];
  const dropper = new EntryDropper({
    table,
    seed: 1,
    isOnePacket: () => false,
    drop: (id) => dropped.push(id),
  });
  for (let second = 0; second < 300; second++) {
    dropper.begin();
    while (dropper.isBusy) dropper.work(0 as Instant, 50);
  }
  expect(dropped).toEqual([]);
});
