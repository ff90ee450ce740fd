import { expect, test } from "vitest";
import { address } from "../../../test/builders.ts";
import { toPort } from "../../net/port.ts";
import { CONNECTION_FLAG } from "../connections/flow.ts";
import {
  addDestination,
  addService,
  type DesiredState,
  deleteDestination,
  EMPTY_STATE,
  editDestination,
} from "../desired/desired-state.ts";
import type { DestinationPlan, Endpoint, ServiceKey } from "../desired/service.ts";
import { ServiceTable } from "./service-table.ts";

const at: Endpoint = { address: address("10.1.0.21"), port: toPort(80) };

const key: ServiceKey = {
  kind: "endpoint",
  protocol: "tcp",
  endpoint: { address: address("10.0.0.1"), port: toPort(80) },
};

const server = (weight: number): Omit<DestinationPlan, "revision"> => ({
  endpoint: at,
  forwarding: { kind: "route" },
  weight,
  upperThreshold: 0,
  lowerThreshold: 0,
});

const service: DesiredState = addService(EMPTY_STATE, {
  key,
  scheduler: "mh",
  schedulerFlags: 0,
  onePacket: false,
  persistence: undefined,
  persistenceEngine: undefined,
});

/** Those before stand for connections without a destination. */
const FIRST_ID = 2;

test("a server that is drained by an edit keeps its last weight", () => {
  const table = new ServiceTable();
  const state = addDestination(service, key, server(10));
  table.apply(state);
  table.apply(editDestination(state, key, server(0)));
  expect(table.destination(FIRST_ID)).toMatchObject({ weight: 0, lastWeight: 10 });
});

test("a server that is revived with weight 0 has no last weight", () => {
  const table = new ServiceTable();
  const state = addDestination(service, key, server(10));
  table.apply(state);
  // A connection that keeps it in the trash.
  table.destination(FIRST_ID).bind(CONNECTION_FLAG.inactive);
  const without = deleteDestination(state, key, at);
  table.apply(without);
  table.apply(addDestination(without, key, server(0)));
  expect(table.destination(FIRST_ID)).toMatchObject({
    weight: 0,
    lastWeight: 0,
    inactiveConnections: 1,
  });
});
