/**
 * A processor's part of a churn (churn.ts): packets of connections that come and go, handed to the programs that are pinned in a
 * folder. Its own process, because others run at the same time on the other processors.
 *
 *     node test/churn/churner.ts FOLDER SEED CONNECTIONS
 */

import { prng } from "../../src/base/prng.ts";
import { close } from "../../src/engine/host/system/libc.ts";
import { getPinned } from "../../src/engine/kernel/bpf-call.ts";
import { TestRun } from "../../src/engine/kernel/libbpf.ts";
import { cardFrame, ETHERNET_LENGTH } from "../differential/frames.ts";
import { Names } from "../packets/names.ts";
import { parsePacket } from "../packets/packet-text.ts";

const NAMES = new Names("inet");
const CLIENT_PORT_AT = ETHERNET_LENGTH + 20;
const FIRST_PORT = 1_024;
/** So many that one comes again while its last connection is still in the table, and by another processor. */
const PORTS = 60_000;

/** What a client sends: some finish, some are reset, some never begin, some go on. */
const LIVES = [
  ["V:80 S", "V:80 .", "V:80 P. len 100", "V:80 F.", "V:80 ."],
  ["V:80 S", "V:80 .", "V:80 R"],
  ["V:80 S"],
  ["V2:443 S", "V2:443 .", "V2:443 F.", "V2:443 ."],
  ["V2:443 S", "V2:443 R."],
  ["V2:443 S", "V2:443 ."],
  ["V:53 udp len 60"],
  ["V:53 udp len 60", "V:53 udp len 60", "V:53 udp len 60"],
].map((life) => life.map((text) => cardFrame(parsePacket(`C:1000 > ${text}`, NAMES))));

const [folder = "", seed = "", connections = ""] = process.argv.slice(2);
const random = prng(Number(seed));
const program = getPinned(`${folder}/programs/at_card`);
using run = new TestRun(256);
for (let count = 0; count < Number(connections); count++) {
  const port = FIRST_PORT + random.below(PORTS);
  for (const frame of random.of(LIVES)) {
    new DataView(frame.buffer).setUint16(CLIENT_PORT_AT, port);
    run.run(program, frame);
  }
}
close(program);
