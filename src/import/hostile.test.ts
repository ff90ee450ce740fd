// biome-ignore-all lint/suspicious/noTemplateCurlyInString: keepalived writes its definitions as JavaScript its templates.
/** Whatever a file says, importing it ends, throws nothing, and writes what can be read again. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { TEST_NAMES } from "../../test/names.ts";
import { unsayable } from "../configuration/write.ts";
import { serversContent } from "./content.ts";
import { importKeepalived } from "./keepalived/import.ts";
import { importLdirectord } from "./ldirectord/import.ts";
import { Notes } from "./told.ts";

// biome-ignore format: a list
const KEEPALIVED_PIECES = [
  "virtual_server", "virtual_server_group", "real_server", "sorry_server", "group", "fwmark", "global_defs", "lvs_timeouts",
  "TCP_CHECK", "HTTP_GET", "SSL_GET", "url", "path", "/", "digest", "status_code", "200-299", "regex", "([a-", "MISC_CHECK",
  "misc_path", "UDP_CHECK", "payload", "0aX", "require_reply", "DNS_CHECK", "FILE_CHECK", "track_file", "SMTP_CHECK", "host",
  "weight", "quorum", "hysteresis", "lb_kind", "NAT", "DR", "TUN type gue port 9", "lvs_sched", "mh", "mh-port", "protocol",
  "TCP", "UDP", "persistence_timeout", "persistence_granularity", "255.255.0.0", "64", "ip_family", "inet6", "ops", "alpha",
  "192.0.2.1", "192.0.2.1-9", "192.0.2.0/24", "10.0.0.0-10.255.255.255", "2001:db8::1", "2001:db8::1-ff", "::/0", "80", "0",
  "-1", "99999999999999999999", "1e9", "g", "{", "}", "{", "}", "\n", "\n", "\n", '"', "'", "\\", "#", "!", "$A=", "$B= \\\n",
  "$A", "${A}", "${B}", "~SEQ(A, 1, 3)", "~SEQx(B, 0x1, 0xff)", "~SEQ(A,99999999)", "~LST(A, 1, 2)", "~LST({A,B},{1,2})",
  "@lb1", "@^lb1", "include main", "include *", "include other", "delay_loop", "retry", "inhibit_on_failure", "__proto__",
  "constructor", "\0", "\u00e9",
];

// biome-ignore format: a list
const LDIRECTORD_PIECES = [
  "virtual=", "virtual6=", "    real=", "    real6=", "192.0.2.1:80", "[2001:db8::1]:80", "192.0.2.1->192.0.2.9:80", "7",
  "10.0.0.1->10.255.255.255", " gate", " masq", " ipip", " 5", ' "/","ok"', " <l:5>", " <u:9>", "    checktype=", "negotiate",
  "connect", "external", "3", "    service=", "http", "dns", "sip", "    request=", '"http://192.0.2.9:81/x"', "    receive=",
  '"([a-"', "fallback=", "quiescent=", "yes", "no", "\n", "\n", "\n", "#", "    netmask=", "    persistent=", "300", "localhost:http",
  "    ", "\t", "=", "checkport=", "failurecount=", "__proto__=",
];

const textOf = (pieces: readonly string[]) =>
  fc
    .array(
      fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...pieces) }, fc.string({ maxLength: 6 })),
      { maxLength: 80 },
    )
    .map((words) => words.join(" "));

const RUNS = { numRuns: 1_500 };

test("any keepalived.conf", () => {
  fc.assert(
    fc.property(textOf(KEEPALIVED_PIECES), textOf(KEEPALIVED_PIECES), (main, other) => {
      const texts: Readonly<Record<string, string>> = { main, other };
      const notes = new Notes();
      const files = {
        list: () => Object.keys(texts),
        exists: (path: string) => Object.hasOwn(texts, path),
        read: (path: string) => ({ text: texts[path]! }),
      };
      const options = { files, id: "lb1", notes, linesMax: 500 };
      expect(unsayableIn(serversContent(importKeepalived("main", main, options), notes))).toEqual(
        [],
      );
    }),
    RUNS,
  );
});

test("any ldirectord.cf", async () => {
  await fc.assert(
    fc.asyncProperty(textOf(LDIRECTORD_PIECES), async (text) => {
      const notes = new Notes();
      const servers = await importLdirectord("main", text.replaceAll("\n ", "\n"), {
        names: TEST_NAMES,
        id: "lb1",
        notes,
      });
      expect(unsayableIn(serversContent(servers, notes))).toEqual([]);
    }),
    RUNS,
  );
});

/** The most of what there is has small values: those that are out of range are told by themselves. */
function unsayableIn(content: ReturnType<typeof serversContent>): string[] {
  return unsayable(content)
    .map(({ message }) => message)
    .filter((message) => !message.startsWith("expected "));
}
