/** ldirectord's configurations of different kinds, and what happens to their servers. */
import {
  type Action,
  type KeepalivedCase,
  type KeepalivedStep,
  LDIRECTORD_GROUP,
  type Serving,
} from "../keepalived/case.ts";

const WEB: Serving = { kind: "http", body: "Test Page" };
const TCP: Serving = { kind: "tcp" };
const [ONE, TWO, SORRY] = ["10.77.0.11", "10.77.0.12", "10.77.0.19"] as const;

/** It counts whole seconds. */
const TIMES = `checktimeout=1
negotiatetimeout=1
checkinterval=1
`;

const serve = (address: string, port: number, how: Serving): Action => [
  "serve",
  address,
  port,
  how,
];
const stop = (address: string, port: number): Action => ["stop", address, port];
const step = (title: string, ...actions: readonly Action[]): KeepalivedStep => ({ title, actions });

interface Given {
  readonly conf: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly begin: readonly Action[];
  readonly steps: readonly KeepalivedStep[];
}

function of(name: string, { conf, files = {}, begin, steps }: Given): KeepalivedCase {
  return {
    program: "ldirectord",
    group: LDIRECTORD_GROUP.name,
    name,
    conf: `${TIMES}${conf}`,
    files,
    begin,
    steps,
    quietMs: 6_000,
    isShort: false,
  };
}

const twoUp = [serve(ONE, 80, TCP), serve(TWO, 80, TCP)];
const twoWebUp = [serve(ONE, 80, WEB), serve(TWO, 80, WEB)];

export const LDIRECTORD_CASES: readonly KeepalivedCase[] = [
  of("connect, direct routing, quiescent", {
    conf: `quiescent=yes
virtual=192.0.2.1:80
	real=${ONE}:80 gate 5
	real=${TWO}:80 gate
	scheduler=rr
	protocol=tcp
	checktype=connect
`,
    begin: twoUp,
    steps: [
      step("one refuses", stop(ONE, 80)),
      step("the other's host is gone", ["gone", TWO]),
      step("one returns", serve(ONE, 80, TCP)),
      step("the other returns", ["back", TWO]),
    ],
  }),
  of("connect, not quiescent, a fallback", {
    conf: `quiescent=no
virtual=192.0.2.1:80
	real=${ONE}:80 masq 3
	real=${TWO}:80 masq 4
	fallback=${SORRY}:8080 masq
	scheduler=wlc
	persistent=600
	netmask=255.255.255.0
	protocol=tcp
	checktype=connect
`,
    begin: twoUp,
    steps: [
      step("one refuses", stop(ONE, 80)),
      step("both refuse", stop(TWO, 80)),
      step("one returns", serve(ONE, 80, TCP)),
      step("both are there", serve(TWO, 80, TCP)),
    ],
  }),
  of("http by a page's text", {
    conf: `quiescent=no
virtual=192.0.2.1:80
	real=${ONE}:80 masq
	real=${TWO}:80 masq
	service=http
	request="index.html"
	receive="Test Page"
	scheduler=wrr
	protocol=tcp
	checktype=negotiate
`,
    begin: twoWebUp,
    steps: [
      step("one says something else", serve(ONE, 80, { kind: "http", body: "Maintenance" })),
      step("it says 500", serve(ONE, 80, { kind: "http", status: 500, body: "Test Page" })),
      step("it takes the request and says nothing", serve(ONE, 80, TCP)),
      step("it is well", serve(ONE, 80, WEB)),
    ],
  }),
  of("a firewall mark, checked at a port of its own", {
    conf: `quiescent=yes
virtual=7
	real=${ONE} gate 2
	real=${TWO} gate 3
	service=http
	request="/health"
	receive="Test Page"
	checkport=80
	scheduler=sed
	checktype=negotiate
`,
    begin: twoWebUp,
    steps: [step("one refuses", stop(ONE, 80)), step("it returns", serve(ONE, 80, WEB))],
  }),
  of("an external program", {
    conf: `quiescent=no
virtual=192.0.2.1:80
	real=${ONE}:80 gate
	real=${TWO}:80 gate
	scheduler=rr
	protocol=tcp
	checktype=external
	checkcommand="{folder}/check.sh"
`,
    files: {
      "check.sh": '#!/bin/sh\n[ ! -e "{folder}/down-$3" ]\n',
    },
    begin: [],
    steps: [step("one is said to be down", ["write", `down-${ONE}`, ""])],
  }),
  of("several virtual services of the same servers, failurecount", {
    conf: `quiescent=yes
failurecount=2
virtual=192.0.2.1:80
	real=${ONE}:80 gate
	real=${TWO}:80 gate
	service=http
	request="/"
	scheduler=rr
	protocol=tcp
virtual=192.0.2.1:443
	real=${ONE}:443 gate
	real=${TWO}:443 gate
	checktype=connect
	scheduler=rr
	protocol=tcp
`,
    begin: [...twoWebUp, serve(ONE, 443, TCP), serve(TWO, 443, TCP)],
    steps: [
      step("one service of one server", stop(ONE, 443)),
      step("the other, too", stop(ONE, 80)),
      step("both return", serve(ONE, 80, WEB), serve(ONE, 443, TCP)),
    ],
  }),
];
