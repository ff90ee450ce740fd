/** keepalived's configurations of different kinds, and what happens to their servers. */
import {
  type Action,
  KEEPALIVED_GROUP,
  type KeepalivedCase,
  type KeepalivedStep,
  type Serving,
} from "./case.ts";

const WEB: Serving = { kind: "http" };
const TCP: Serving = { kind: "tcp" };

/** Fast enough that a case takes seconds. */
const TIMES = `
  delay_loop 0.4
  connect_timeout 0.5
  retry 1
  delay_before_retry 0.2
  warmup 0`;

const [ONE, TWO, THREE, SORRY] = ["10.77.0.11", "10.77.0.12", "10.77.0.13", "10.77.0.19"] as const;
const [ONE_6, TWO_6] = ["fd77::11", "fd77::12"] as const;

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
  readonly begin?: readonly Action[];
  readonly steps: readonly KeepalivedStep[];
  readonly quietMs?: number;
}

/** Carried out in every run. */
const SHORT = ["inhibit_on_failure", "quorum with hysteresis and a sorry server"];

function of(name: string, given: Given): KeepalivedCase {
  const { conf, files = {}, begin = [], steps, quietMs = 2_000 } = given;
  const group = KEEPALIVED_GROUP.name;
  return {
    program: "keepalived",
    group,
    name,
    conf,
    files,
    begin,
    steps,
    quietMs,
    isShort: SHORT.includes(name),
  };
}

/** One that has each of the servers at a port, with the same checker. */
function pool(checker: string, servers: readonly string[], port: number, more = ""): string {
  return servers
    .map(
      (server) =>
        `  real_server ${server} ${port} {\n    weight 1\n    ${more}\n    ${checker}\n  }\n`,
    )
    .join("");
}

const TCP_CHECK = "TCP_CHECK { }";
const HTTP_CHECK = "HTTP_GET { url { path /health\n status_code 200 } }";

const twoUp = [serve(ONE, 80, TCP), serve(TWO, 80, TCP)];
const twoWebUp = [serve(ONE, 80, WEB), serve(TWO, 80, WEB)];

export const KEEPALIVED_CASES: readonly KeepalivedCase[] = [
  of("TCP_CHECK, direct routing", {
    conf: `virtual_server 192.0.2.1 80 {${TIMES}
  lb_algo rr
  lb_kind DR
  protocol TCP
${pool(TCP_CHECK, [ONE, TWO], 80)}}
`,
    begin: twoUp,
    steps: [
      step("one refuses", stop(ONE, 80)),
      step("the other's host is gone", ["gone", TWO]),
      step("one returns", serve(ONE, 80, TCP)),
      step("the other returns", ["back", TWO]),
    ],
  }),
  of("HTTP_GET by status, NAT to another port", {
    conf: `virtual_server 192.0.2.1 80 {${TIMES}
  lvs_sched wrr
  lvs_method NAT
  protocol TCP
  persistence_timeout 60
${pool(HTTP_CHECK, [ONE, TWO], 8080, "weight 3")}}
`,
    begin: [serve(ONE, 8080, WEB), serve(TWO, 8080, WEB)],
    steps: [
      step("one says 500", serve(ONE, 8080, { kind: "http", status: 500 })),
      step(
        "it says 404 for that path",
        serve(ONE, 8080, { kind: "http", paths: { "/health": 404 } }),
      ),
      step("it takes the request and says nothing", serve(ONE, 8080, TCP)),
      step("it is well", serve(ONE, 8080, WEB)),
      step("both are gone", stop(ONE, 8080), stop(TWO, 8080)),
      step("both return", serve(ONE, 8080, WEB), serve(TWO, 8080, WEB)),
    ],
  }),
  of("inhibit_on_failure", {
    conf: `virtual_server 192.0.2.1 80 {${TIMES}
  lvs_sched wlc
  lvs_method DR
  protocol TCP
  real_server ${ONE} 80 { weight 5
    inhibit_on_failure
    ${TCP_CHECK} }
  real_server ${TWO} 80 { weight 7
    ${TCP_CHECK} }
}
`,
    begin: twoUp,
    steps: [
      step("the inhibited one refuses", stop(ONE, 80)),
      step("the other, too", stop(TWO, 80)),
      step("the inhibited one returns", serve(ONE, 80, TCP)),
      step("the other, too", serve(TWO, 80, TCP)),
    ],
  }),
  of("quorum with hysteresis and a sorry server", {
    conf: `virtual_server 192.0.2.1 80 {${TIMES}
  lvs_sched rr
  lvs_method NAT
  protocol TCP
  quorum 20
  hysteresis 5
  sorry_server ${SORRY} 8080
${pool(TCP_CHECK, [ONE, TWO, THREE], 80, "weight 10")}}
`,
    begin: [...twoUp, serve(THREE, 80, TCP)],
    steps: [
      step("one of three is lost", stop(ONE, 80)),
      step("two of three are lost", stop(TWO, 80)),
      step("two are there again", serve(TWO, 80, TCP)),
      step("all are there again", serve(ONE, 80, TCP)),
      step("all are lost", stop(ONE, 80), stop(TWO, 80), stop(THREE, 80)),
      step("one is there again", serve(THREE, 80, TCP)),
      step("all are there again", ...twoUp),
    ],
  }),
  of("scripts for each server, and for the quorum", {
    conf: `virtual_server 192.0.2.1 80 {${TIMES}
  lvs_sched rr
  lvs_method NAT
  protocol TCP
  quorum 2
  quorum_up "{folder}/run.sh quorum up"
  quorum_down "{folder}/run.sh quorum down"
  real_server ${ONE} 8080 {
    notify_up "{folder}/run.sh one up"
    notify_down "{folder}/run.sh one down"
    TCP_CHECK { } }
  real_server ${TWO} 8080 {
    notify_down "{folder}/run.sh two down"
    TCP_CHECK { } }
}
virtual_server fwmark 9 {${TIMES}
  lvs_sched rr
  lvs_method DR
  alpha
  quorum_up "{folder}/run.sh mark up"
  real_server ${ONE} 0 {
    notify_up "{folder}/run.sh of-mark up"
    TCP_CHECK { connect_port 8080 } }
}
`,
    files: { "run.sh": '#!/bin/sh\necho "ran $*" > {folder}/fifo\n' },
    begin: [serve(ONE, 8080, TCP), serve(TWO, 8080, TCP)],
    steps: [
      step("one refuses", stop(ONE, 8080)),
      step("two refuses", stop(TWO, 8080)),
      step("both return", serve(ONE, 8080, TCP), serve(TWO, 8080, TCP)),
    ],
  }),
  of("a sorry server that is inhibited, beside inhibited servers", {
    conf: `virtual_server 192.0.2.1 80 {${TIMES}
  lvs_sched rr
  lvs_method DR
  protocol TCP
  inhibit_on_failure
  sorry_server ${SORRY} 80
  sorry_server_inhibit
${pool(TCP_CHECK, [ONE, TWO], 80)}}
`,
    begin: twoUp,
    steps: [
      step("one is lost", stop(ONE, 80)),
      step("both are lost", stop(TWO, 80)),
      step("one returns", serve(TWO, 80, TCP)),
      step("both return", serve(ONE, 80, TCP)),
    ],
  }),
  of("alpha: down until the first success", {
    conf: `virtual_server 192.0.2.1 80 {${TIMES}
  lvs_sched rr
  lvs_method DR
  protocol TCP
  alpha
  sorry_server ${SORRY} 80
${pool(TCP_CHECK, [ONE, TWO], 80)}}
`,
    begin: [serve(ONE, 80, TCP)],
    steps: [
      step("the second comes", serve(TWO, 80, TCP)),
      step("both go", stop(ONE, 80), stop(TWO, 80)),
    ],
  }),
  of("one firewall mark for 80 and 443", {
    conf: `virtual_server fwmark 80 {${TIMES}
  lvs_sched wlc
  lvs_method DR
  persistence_timeout 600
  persistence_granularity 255.255.255.0
${pool("TCP_CHECK { connect_port 80 }\n    TCP_CHECK { connect_port 443 }", [ONE, TWO], 0)}}
`,
    begin: [...twoUp, serve(ONE, 443, TCP), serve(TWO, 443, TCP)],
    steps: [
      step("443 refuses on one", stop(ONE, 443)),
      step("80 refuses there, too", stop(ONE, 80)),
      step("443 is back there", serve(ONE, 443, TCP)),
      step("80, too", serve(ONE, 80, TCP)),
    ],
  }),
  of("MISC_CHECK by exit code", {
    conf: `virtual_server 192.0.2.1 53 {${TIMES}
  lvs_sched rr
  lvs_method NAT
  protocol UDP
  real_server ${ONE} 53 { weight 4
    MISC_CHECK { misc_path "{folder}/check.sh one"
      misc_timeout 2 } }
  real_server ${TWO} 53 { weight 4
    inhibit_on_failure
    MISC_CHECK { misc_path "{folder}/check.sh two"
      misc_timeout 2 } }
}
`,
    files: { "check.sh": "#!/bin/sh\nexit $(cat {folder}/$1)\n", one: "0", two: "0" },
    steps: [
      step("one fails", ["write", "one", "1"]),
      step("two fails with 7", ["write", "two", "7"]),
      step("both are well", ["write", "one", "0"], ["write", "two", "0"]),
    ],
  }),
  of("MISC_CHECK dynamic: the exit code is the weight", {
    conf: `virtual_server 192.0.2.1 80 {${TIMES}
  lvs_sched wrr
  lvs_method DR
  protocol TCP
  real_server ${ONE} 80 { weight 10
    MISC_CHECK { misc_path "{folder}/check.sh one"
      misc_dynamic
      misc_timeout 2 } }
  real_server ${TWO} 80 { weight 10
    MISC_CHECK { misc_path "{folder}/check.sh two"
      misc_dynamic
      misc_timeout 2 } }
}
`,
    files: { "check.sh": "#!/bin/sh\nexit $(cat {folder}/$1)\n", one: "0", two: "102" },
    steps: [
      step("one says 20", ["write", "one", "22"]),
      step("two says 253", ["write", "two", "255"]),
      step("one says 0", ["write", "one", "2"]),
      step("one fails", ["write", "one", "1"]),
      step("one says nothing of weights", ["write", "one", "0"]),
    ],
  }),
  of("SSL_GET", {
    conf: `virtual_server 192.0.2.1 443 {${TIMES}
  lvs_sched sh
  sh-port
  lvs_method DR
  protocol TCP
${pool("SSL_GET { url { path /\n status_code 200-204 } }", [ONE, TWO], 443)}}
`,
    begin: [serve(ONE, 443, { kind: "https" }), serve(TWO, 443, { kind: "https" })],
    steps: [
      step("one says 503", serve(ONE, 443, { kind: "https", status: 503 })),
      step("it does not speak TLS", serve(ONE, 443, WEB)),
      step("it says 204", serve(ONE, 443, { kind: "https", status: 204 })),
      step("both refuse", stop(ONE, 443), stop(TWO, 443)),
    ],
  }),
  of("HTTP_GET by digest, expression and host", {
    conf: `virtual_server 192.0.2.1 80 {${TIMES}
  lvs_sched lc
  lvs_method NAT
  protocol TCP
  virtualhost www.example.com
  real_server ${ONE} 80 {
    HTTP_GET { url { path /
      digest 5d41402abc4b2a76b9719d911017c592 } } }
  real_server ${TWO} 80 {
    HTTP_GET { url { path /
      regex "state: (green|yellow)" }
      url { path /login
      regex maintenance
      regex_no_match } } }
}
`,
    begin: [
      serve(ONE, 80, { kind: "http", body: "hello" }),
      serve(TWO, 80, { kind: "http", body: "state: green\n", host: "www.example.com" }),
    ],
    steps: [
      step(
        "another body, and red",
        serve(ONE, 80, { kind: "http", body: "hullo" }),
        serve(TWO, 80, { kind: "http", body: "state: red\n" }),
      ),
      step(
        "yellow, in maintenance",
        serve(TWO, 80, { kind: "http", body: "state: yellow, maintenance\n" }),
      ),
      step("yellow", serve(TWO, 80, { kind: "http", body: "state: yellow\n" })),
      step("another host", serve(TWO, 80, { kind: "http", body: "state: yellow\n", host: "else" })),
    ],
  }),
  of("IPv6", {
    conf: `virtual_server 2001:db8::1 80 {${TIMES}
  lvs_sched rr
  lvs_method DR
  protocol TCP
  persistence_timeout 30
  persistence_granularity 64
  sorry_server fd77::19 80
${pool(TCP_CHECK, [ONE_6, TWO_6], 80)}}
`,
    begin: [serve(ONE_6, 80, TCP), serve(TWO_6, 80, TCP)],
    steps: [
      step("one refuses", stop(ONE_6, 80)),
      step("both", stop(TWO_6, 80)),
      step("one returns", serve(ONE_6, 80, TCP)),
    ],
  }),
  of("IPv6 outside, tunnels to IPv4 servers", {
    conf: `virtual_server 2001:db8::1 80 {${TIMES}
  lvs_sched rr
  lvs_method TUN
  protocol TCP
${pool(TCP_CHECK, [ONE, TWO_6], 80)}}
`,
    begin: [serve(ONE, 80, TCP), serve(TWO_6, 80, TCP)],
    steps: [step("one refuses", stop(ONE, 80)), step("it returns", serve(ONE, 80, TCP))],
  }),
  of("a group of addresses, ranges and a mark", {
    conf: `virtual_server_group web {
  192.0.2.1 80
  192.0.2.10-12 80
  192.0.2.64/31 8080
  fwmark 7
}
virtual_server group web {${TIMES}
  lvs_sched rr
  lvs_method NAT
  protocol TCP
  sorry_server ${SORRY} 80
${pool(TCP_CHECK, [ONE, TWO], 80)}}
`,
    begin: twoUp,
    steps: [
      step("one refuses", stop(ONE, 80)),
      step("both", stop(TWO, 80)),
      step("both return", ...twoUp),
    ],
  }),
  of("several virtual servers share real servers, by definitions and a sequence", {
    conf: `$RS= \\
real_server 10.77.0.\${HOST} 80 { \\
  weight \${HOST} \\
  ${TCP_CHECK} \\
}
$VS= \\
virtual_server 192.0.2.\${N} 80 { \\
  delay_loop 0.4 \\
  connect_timeout 0.5 \\
  delay_before_retry 0.2 \\
  warmup 0 \\
  lvs_sched rr \\
  lvs_method DR \\
  protocol TCP \\
  ~LST(HOST, 11, 12) $RS \\
}

~SEQ(N, 1, 3) $VS
`,
    begin: twoUp,
    steps: [step("one refuses", stop(ONE, 80)), step("it returns", serve(ONE, 80, TCP))],
  }),
  of("SMTP_CHECK", {
    conf: `virtual_server 192.0.2.1 25 {${TIMES}
  lvs_sched wlc
  lvs_method NAT
  protocol TCP
${pool("SMTP_CHECK { helo_name lab.example }", [ONE, TWO], 25)}}
`,
    begin: [serve(ONE, 25, { kind: "smtp" }), serve(TWO, 25, { kind: "smtp" })],
    steps: [
      step("one greets with 554", serve(ONE, 25, { kind: "smtp", banner: 554 })),
      step("one refuses the HELO", serve(ONE, 25, { kind: "smtp", hello: 502 })),
      step("one says nothing", serve(ONE, 25, TCP)),
      step("it is well", serve(ONE, 25, { kind: "smtp" })),
    ],
  }),
  of("DNS_CHECK", {
    conf: `virtual_server 192.0.2.53 53 {${TIMES}
  lvs_sched rr
  ops
  lvs_method DR
  protocol UDP
${pool("DNS_CHECK { type A\n name www.example.com }", [ONE, TWO], 53)}}
`,
    begin: [serve(ONE, 53, { kind: "dns" }), serve(TWO, 53, { kind: "dns" })],
    steps: [
      step("one refuses", serve(ONE, 53, { kind: "dns", rcode: 5 })),
      step("two is silent", serve(TWO, 53, { kind: "datagrams" })),
      step("both answer", serve(ONE, 53, { kind: "dns" }), serve(TWO, 53, { kind: "dns" })),
      step("nobody is at one's port", stop(ONE, 53)),
    ],
  }),
  of("UDP_CHECK", {
    conf: `virtual_server 192.0.2.1 1812 {${TIMES}
  lvs_sched rr
  lvs_method NAT
  protocol UDP
  real_server ${ONE} 1812 { UDP_CHECK { payload 0c01
    require_reply 0dXX } }
  real_server ${TWO} 1812 { UDP_CHECK { } }
}
`,
    begin: [
      serve(ONE, 1812, { kind: "datagrams", reply: "0d77" }),
      serve(TWO, 1812, { kind: "datagrams" }),
    ],
    steps: [
      step(
        "one replies with something else",
        serve(ONE, 1812, { kind: "datagrams", reply: "0e77" }),
      ),
      step("one replies as it should", serve(ONE, 1812, { kind: "datagrams", reply: "0d00" })),
      step("nobody is at both ports", stop(ONE, 1812), stop(TWO, 1812)),
      step(
        "one is silent, two as well",
        serve(ONE, 1812, { kind: "datagrams" }),
        serve(TWO, 1812, { kind: "datagrams" }),
      ),
    ],
  }),
  of("PING_CHECK", {
    conf: `virtual_server 192.0.2.1 0 {${TIMES}
  lvs_sched rr
  lvs_method DR
  protocol TCP
  persistence_timeout 60
${pool("PING_CHECK { }", [ONE, TWO], 0)}}
`,
    steps: [step("one's host is gone", ["gone", ONE]), step("it is back", ["back", ONE])],
  }),
  of("two checkers: both must be up", {
    conf: `virtual_server 192.0.2.1 80 {${TIMES}
  lvs_sched rr
  lvs_method DR
  protocol TCP
${pool(`${TCP_CHECK}\n    ${HTTP_CHECK.replace("{ url", "{ connect_port 8080\n url")}`, [ONE, TWO], 80)}}
`,
    begin: [...twoUp, serve(ONE, 8080, WEB), serve(TWO, 8080, WEB)],
    steps: [
      step("the second checker fails on one", serve(ONE, 8080, { kind: "http", status: 500 })),
      step("the first, too", stop(ONE, 80)),
      step("the second is well again", serve(ONE, 8080, WEB)),
      step("the first, too", serve(ONE, 80, TCP)),
    ],
  }),
  of("servers without a checker are up", {
    conf: `virtual_server 192.0.2.1 80 {${TIMES}
  lvs_sched rr
  lvs_method DR
  protocol TCP
  sorry_server ${SORRY} 80
  real_server ${ONE} 80 { weight 3 }
  real_server ${TWO} 80 { ${TCP_CHECK} }
}
`,
    begin: twoUp,
    steps: [step("both refuse", stop(ONE, 80), stop(TWO, 80)), step("both return", ...twoUp)],
  }),
  of("weight 0 counts for no quorum", {
    conf: `virtual_server 192.0.2.1 80 {${TIMES}
  lvs_sched rr
  lvs_method DR
  protocol TCP
  sorry_server ${SORRY} 80
  real_server ${ONE} 80 { weight 0
    ${TCP_CHECK} }
  real_server ${TWO} 80 { weight 2
    ${TCP_CHECK} }
}
`,
    begin: twoUp,
    steps: [
      step("the one that weighs refuses", stop(TWO, 80)),
      step("it returns", serve(TWO, 80, TCP)),
      step("the one that weighs nothing refuses", stop(ONE, 80)),
    ],
  }),
  of("schedulers, flags, thresholds and protocols of their own", {
    conf: `virtual_server 192.0.2.1 80 {${TIMES}
  lvs_sched mh
  mh-port
  mh-fallback
  lvs_method DR
  protocol TCP
  real_server ${ONE} 80 { weight 2
    uthreshold 100
    lthreshold 50
    ${TCP_CHECK} }
}
virtual_server 192.0.2.2 80 {${TIMES}
  lvs_sched ovf
  lvs_method NAT
  protocol SCTP
  real_server ${ONE} 81 { uthreshold 10
    ${TCP_CHECK.replace("{ }", "{ connect_port 80 }")} }
}
virtual_server 192.0.2.3 80 {${TIMES}
  lvs_method NAT
  real_server ${ONE} 80 { ${TCP_CHECK} }
}
virtual_server 192.0.2.4 5060 {${TIMES}
  lvs_sched fo
  lvs_method NAT
  protocol UDP
  persistence_engine sip
  persistence_timeout 100
  real_server ${ONE} 5060 { TCP_CHECK { connect_port 80 } }
}
`,
    begin: twoUp,
    steps: [step("it refuses", stop(ONE, 80)), step("it returns", serve(ONE, 80, TCP))],
  }),
  of("other methods for some of the servers", {
    conf: `virtual_server 192.0.2.1 80 {${TIMES}
  lvs_sched rr
  lvs_method DR
  protocol TCP
  sorry_server ${SORRY} 8080
  sorry_server_lvs_method NAT
  real_server ${ONE} 80 { lvs_method NAT
    ${TCP_CHECK} }
  real_server ${TWO} 80 { lvs_method TUN
    ${TCP_CHECK} }
  real_server ${THREE} 80 { lvs_method TUN type gre csum
    ${TCP_CHECK} }
}
`,
    begin: [...twoUp, serve(THREE, 80, TCP)],
    steps: [
      step("all refuse", stop(ONE, 80), stop(TWO, 80), stop(THREE, 80)),
      step("all return", ...twoUp, serve(THREE, 80, TCP)),
    ],
  }),
  of("retry: a failure or two in a row are none", {
    conf: `virtual_server 192.0.2.1 80 {
  delay_loop 0.4
  connect_timeout 0.5
  retry 3
  delay_before_retry 0.3
  warmup 0
  lvs_sched rr
  lvs_method DR
  protocol TCP
${pool(HTTP_CHECK, [ONE, TWO], 80)}}
`,
    begin: twoWebUp,
    steps: [
      step("one fails", serve(ONE, 80, { kind: "http", status: 500 })),
      step("it is well", serve(ONE, 80, WEB)),
    ],
    quietMs: 3_000,
  }),
  of("odd spacing, old names, numbers with rests", {
    conf: `virtual_server 192.0.2.1   80{ lb_algo\trr ! round robin
 lb_kind   NAT # nat
 delay_loop 0.4;
 persistence_timeout 0
 protocol tcp connect_timeout 3
 warmup 0
 real_server ${ONE} 80
 {

 weight 3
 TCP_CHECK

 { connect_timeout 0.5
   nb_get_retry 1
   delay_before_retry 0.2 } }
 real_server ${TWO} 80 { weight 1
 TCP_CHECK { connect_timeout 0.5
   delay_before_retry 0.2
 } } }
`,
    begin: twoUp,
    steps: [step("one refuses", stop(ONE, 80)), step("it returns", serve(ONE, 80, TCP))],
  }),
];
