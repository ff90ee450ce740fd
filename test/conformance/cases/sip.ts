/** The persistence engine sip: which datagrams it takes, what their templates stand for, and servers' own calls. */
import {
  type Case,
  type CaseFile,
  CONNECTIONS,
  ipvsadm,
  packet,
  restore,
  SERVICES,
  type Step,
  wait,
} from "../case.ts";
import { framesCase } from "./methods.ts";

const GROUP = "persistence engine sip";

/** An entry's end comes with the kernel's next tick. */
const TICK_MS = 30;

export const SIP: CaseFile = {
  features: { [GROUP]: "`--pe sip`: Call-IDs, their templates, calls that servers begin" },
  cases: () => [...headerCases(), ...templateCases(), ...serverCases()],
};

type At = "-u VIP:5060" | "-t VIP:5060" | "-u VIP:0" | "-u [VIP6]:5060" | "-f MARK";

function service(
  options: string,
  at: At = "-u VIP:5060",
  method = "-g",
  serverPort = at.includes("5060") ? 5060 : 0,
): Step {
  const port = `:${serverPort}`;
  const servers = [21, 22, 23].map((number) =>
    at.includes("VIP6") ? `[fd15::${number}]${port}` : `192.168.150.${number}${port}`,
  );
  return restore(
    `-A ${at} -s rr --pe sip ${options}`,
    ...servers.map((server) => `-a ${at} -r ${server} ${method}`),
  );
}

const CRLF = "\r\n";

function message(...lines: readonly string[]): string {
  return ["INVITE sip:b@example.org SIP/2.0", ...lines, ""].join(CRLF);
}

/** Blanks and bytes above 127 included. */
function encoded(text: string): string {
  return text.replaceAll(
    /[^A-Za-z0-9]/g,
    (character) => `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

const datagram = (ends: string, text: string, options = ""): Step =>
  packet(`udp ${ends} ${options} payload=${encoded(text)}`);

const call = (client: string, id: string, port = 5060): Step =>
  datagram(`${client} > VIP:${port}`, message("Via: x", `Call-ID: ${id}`, "CSeq: 1"));

// biome-ignore format: a table
const MESSAGES: readonly [what: string, text: string][] = [
  ["a Call-ID",                      message("Via: x", "Call-ID: a1@example.org", "CSeq: 1")],
  ["its compact form",               message("Via: x", "i: a2@example.org", "CSeq: 1")],
  ["capitals",                       message("CALL-id: a3", "I: b3")],
  ["a compact capital",              message("I: a4")],
  ["no blank",                       message("Call-ID:a5")],
  ["blanks on both sides",           message("Call-ID   :    a6")],
  ["a tab before the colon",         message("Call-ID\t: a7")],
  ["a tab behind the colon",         message("Call-ID:\ta8")],
  ["a value on the next line",       message("Call-ID:", " a9@x")],
  ["a colon on the next line",       message("Call-ID", " : a10@x")],
  ["an indented header",             message(" Call-ID: a11")],
  ["none",                           message("Via: x")],
  ["nothing but a Call-ID",          "Call-ID: a12\r\n"],
  ["bare line feeds",                "INVITE\nCall-ID: a13\nVia: x\n"],
  ["bare carriage returns",          "INVITE\rCall-ID: a14\rVia: x\r"],
  ["behind an empty line",           "INVITE\r\n\r\nCall-ID: a15\r\n"],
  ["behind an empty line, bare",     "INVITE\n\nCall-ID: a16\n"],
  ["behind three, bare",             "INVITE\n\n\nCall-ID: a17\n"],
  ["no end of line",                 "INVITE\r\nCall-ID: a18"],
  ["an end of line, cut",            "INVITE\r\nCall-ID: a19\r"],
  ["a blank behind it",              message("Call-ID: a20 ")],
  ["a comment behind it",            message("Call-ID: a21;x")],
  ["two words",                      message("Call-ID: a22@b@c")],
  ["an at without a host",           message("Call-ID: a23@")],
  ["an empty one, then one",         message("Call-ID: ", "Call-ID: a24")],
  ["an empty one, then two",         message("Call-ID: ", "Call-ID: a25", "Call-ID: b25")],
  ["an empty one, then one far off", message("Call-ID: @", `Via: ${"x".repeat(90)}`, "Call-ID: a26")],
  ["another header of such a name",  message("Call-ID-Old: x", "Call-ID: a27")],
  ["another short header",           message("Id: x", "i2: y", "Call-ID: a28")],
  ["a name without a colon",         message("Call-ID", "Call-ID: a29")],
  ["two",                            message("Call-ID: a30", "Call-ID: b30")],
  ["every sign of a word",           message("Call-ID: -.!%*_+`'~()<>:\\\"/[]?{}@a31")],
  ["a hash",                         message("Call-ID: a32#b")],
  ["a dollar, not of a word",        message("Call-ID: $a33")],
  ["letters of Latin-1",             message("Call-ID: a34\u00e4\u00d7")],
  ["signs of Latin-1",               message("Call-ID: \u00d7a35")],
  ["255 bytes",                      message(`Call-ID: ${"a".repeat(255)}`)],
  ["256 bytes",                      message(`Call-ID: ${"a".repeat(256)}`)],
  ["254 bytes and their host",       message(`Call-ID: ${"a".repeat(200)}@${"b".repeat(53)}`)],
  ["an empty datagram",              ""],
  ["a newline only",                 "\r\n"],
  ["a name only",                    "\r\nCall-ID"],
  ["a name and a colon only",        "\r\nCall-ID:"],
  ["a name, a colon and a blank",    "\r\nCall-ID: "],
];

/** What the kernel makes of a datagram is told by its template. */
function headerCases(): Case[] {
  return MESSAGES.map(([what, text]) =>
    framesCase(GROUP, `a datagram with ${what}`, [
      service("-p 100"),
      datagram("10.9.0.1:1 > VIP:5060", text),
      CONNECTIONS,
    ]),
  );
}

function templateCases(): Case[] {
  const cases: [name: string, steps: readonly Step[], sysctls?: Case["sysctls"]][] = [
    [
      "each call has a server",
      [
        service("-p 100"),
        ...["a@x", "b@x", "a@x", "c@x", "b@x"].map((id, at) => call(`10.9.0.1:${at + 1}`, id)),
        call("10.9.0.2:1", "a@x"),
        call("10.9.0.2:1", "z@x"),
        CONNECTIONS,
        SERVICES,
      ],
    ],
    [
      "a netmask",
      [
        service("-p 100 -M 255.255.255.0"),
        ...["10.9.1.1:1", "10.9.1.200:2", "10.9.2.1:1"].map((client) => call(client, "a@x")),
        CONNECTIONS,
      ],
    ],
    [
      "NAT and its replies",
      [
        service("-p 100", "-u VIP:5060", "-m"),
        call("10.9.0.1:1", "a@x"),
        packet("udp 192.168.150.23:5060 > 10.9.0.1:1 length=9"),
        call("10.9.0.1:2", "a@x"),
        CONNECTIONS,
        ipvsadm("-D -u VIP:5060"),
      ],
    ],
    [
      "a removed server's calls move",
      [
        service("-p 100"),
        call("10.9.0.1:1", "a@x"),
        ipvsadm("-d -u VIP:5060 -r 192.168.150.23:5060"),
        call("10.9.0.1:2", "a@x"),
        call("10.9.0.1:3", "a@x"),
        CONNECTIONS,
      ],
    ],
    [
      "edited to be without, and again to be with",
      [
        service("-p 100"),
        call("10.9.0.1:1", "a@x"),
        ipvsadm("-E -u VIP:5060 -s rr -p 100"),
        call("10.9.0.1:2", "a@x"),
        call("10.9.0.1:3", "b@x"),
        CONNECTIONS,
        ipvsadm("-E -u VIP:5060 -s rr -p 100 --pe sip"),
        call("10.9.0.1:4", "a@x"),
        CONNECTIONS,
      ],
    ],
    [
      "any port",
      [
        service("-p 100", "-u VIP:0"),
        call("10.9.0.1:1", "a@x", 5060),
        call("10.9.0.1:2", "a@x", 5070),
        call("10.9.0.1:3", "b@x", 5060),
        CONNECTIONS,
      ],
    ],
    [
      "one packet",
      [
        service("-o -p 100"),
        ...["a@x", "b@x", "a@x", "b@x"].map((id) => call("10.9.0.1:1", id)),
        packet("udp 10.9.0.1:1 > VIP:5060 length=30"),
        wait(TICK_MS),
        CONNECTIONS,
        SERVICES,
      ],
    ],
    [
      "IPv6",
      [
        service("-p 100 -M 64", "-u [VIP6]:5060"),
        ...["[fd09::1]:1", "[fd09::2]:2", "[fd09:0:0:1::1]:1"].map((client) =>
          datagram(`${client} > [VIP6]:5060`, message("Call-ID: a@x")),
        ),
        packet("udp [fd09::1]:9 > [VIP6]:5060 length=30"),
        CONNECTIONS,
      ],
    ],
    [
      "a fragmented datagram",
      [
        service("-p 100"),
        ...["0-80", "80-200"].map((part) =>
          datagram(
            "10.9.0.1:1 > VIP:5060",
            message(`Via: ${"x".repeat(60)}`, "Call-ID: a@x"),
            `fragment=${part}`,
          ),
        ),
        call("10.9.0.1:2", "a@x"),
        CONNECTIONS,
      ],
    ],
    [
      "without -p",
      [
        service(""),
        call("10.9.0.1:1", "a@x"),
        call("10.9.0.1:2", "a@x"),
        packet("udp 10.9.0.1:3 > VIP:5060 length=30"),
        CONNECTIONS,
      ],
    ],
    [
      "TCP",
      [
        service("-p 100", "-t VIP:5060"),
        packet("tcp 10.9.0.1:1 > VIP:5060 S"),
        packet("tcp 10.9.0.1:2 > VIP:5060 S"),
        CONNECTIONS,
      ],
    ],
    [
      "TCP without -p",
      [service("", "-t VIP:5060"), packet("tcp 10.9.0.1:1 > VIP:5060 S"), CONNECTIONS],
    ],
    [
      "an ICMP error",
      [
        service("-p 100"),
        packet(
          `icmp 10.9.0.1 > VIP 3/3 about udp VIP:5060 > 10.9.0.1:1 payload=${encoded(message("Call-ID: a@x"))}`,
        ),
        CONNECTIONS,
      ],
      { schedule_icmp: 1 },
    ],
  ];
  return cases.map(([name, steps, sysctls]) => framesCase(GROUP, name, steps, sysctls));
}

/** conn_out: what a real server begins comes from the service. */
function serverCases(): Case[] {
  const own = (ends: string, id: string): Step => datagram(ends, message(`Call-ID: ${id}`));
  // A port of its own for each: cases that wait do so together, and a server may be one of their services only.
  const ways: [name: string, options: string, port: number, method?: string][] = [
    ["without -p", "", 6001],
    ["persistent", "-p 100", 6002],
    ["one packet", "-o", 6003],
    ["one packet, persistent", "-o -p 100", 6004],
    ["by DR", "-p 100", 5060, "-g"],
  ];
  const sharing: [name: string, options: readonly [string, string], port: number][] = [
    ["of two services", ["--pe sip", "--pe sip"], 6011],
    ["of a service with and one without", ["--pe sip", ""], 6012],
    ["of a service without and one with", ["", "--pe sip"], 6013],
  ];
  const shared = sharing.map(([name, [first, second], port]) =>
    framesCase(GROUP, `a server's own call, ${name}`, [
      restore(
        `-A -u VIP:5060 -s rr ${first}`,
        `-A -u VIP:5070 -s rr ${second}`,
        `-a -u VIP:5060 -r 192.168.150.21:${port} -m`,
        `-a -u VIP:5070 -r 192.168.150.21:${port} -m`,
      ),
      own(`192.168.150.21:${port} > CLIENT:5070`, "s@x"),
      CONNECTIONS,
    ]),
  );
  const marked = framesCase(GROUP, "a server's own call, of a mark", [
    restore("-A -f MARK -s rr -p 100 --pe sip", "-a -f MARK -r 192.168.150.21:6021 -m"),
    own("192.168.150.21:6021 > CLIENT:5070", "s@x"),
    own("192.168.150.21:0 > CLIENT:5070", "s@x"),
    CONNECTIONS,
  ]);
  const single = ways.map(([name, options, port, method = "-m"]) =>
    framesCase(GROUP, `a server's own call, ${name}`, [
      service(options, "-u VIP:5060", method, port),
      own(`192.168.150.22:${port} > CLIENT:5070`, "s@x"),
      call("CLIENT:5070", "s@x"),
      own(`192.168.150.22:${port} > CLIENT:5070`, "s@x"),
      own(`192.168.150.21:${port} > CLIENT:5071`, "s@x"),
      packet(`udp 192.168.150.21:${port} > CLIENT:5072 length=10`),
      own(`192.168.150.21:${port + 1000} > CLIENT:5073`, "s@x"),
      wait(TICK_MS),
      CONNECTIONS,
      SERVICES,
    ]),
  );
  return [...single, ...shared, marked];
}
