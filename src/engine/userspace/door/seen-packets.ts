/** Reads what the door's tables counted of first packets (door-table.ts): by nft, which tells it as JSON. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Protocol } from "../../../ipvs/desired/service.ts";
import { endpointText, type Seen, type SeenPackets } from "../../../ipvs/diagnosis/arrivals.ts";
import type { Family } from "../../../net/address.ts";
import { SEEN, SEEN_AT } from "./door-table.ts";
import { type Place, tableName } from "./door-words.ts";
import { NFT_PATH } from "./nft.ts";

const PATIENCE_MS = 2_000;
/** A full set is a fifth of it. */
const OUTPUT_MAX = 1 << 20;

/** Names as nft knows them from /etc/protocols, and without that. */
const PROTOCOLS: Readonly<Record<string, Protocol>> = {
  tcp: "tcp",
  udp: "udp",
  sctp: "sctp",
  6: "tcp",
  17: "udp",
  132: "sctp",
};

const NONE: Seen = { arrived: 0, taken: 0, fromHere: 0 };

const FIELDS: Readonly<Record<number, keyof Seen>> = {
  [SEEN_AT.arriving]: "arrived",
  [SEEN_AT.taken]: "taken",
  [SEEN_AT.fromHere]: "fromHere",
};

/** Undefined when it cannot be read: an nft without JSON, a table that is being made anew. */
export async function readSeen(
  families: readonly Family[],
  place: Place,
): Promise<SeenPackets | undefined> {
  const all = new Map<string, Seen>();
  try {
    for (const family of families) {
      const words = ["-j", "list", "set", ...tableName(family, place).split(" "), SEEN];
      const { stdout } = await promisify(execFile)("nft", words, {
        env: { ...process.env, PATH: NFT_PATH },
        timeout: PATIENCE_MS,
        maxBuffer: OUTPUT_MAX,
      });
      collect(stdout, all);
    }
  } catch {
    return undefined;
  }
  return all;
}

interface Listing {
  readonly nftables: readonly {
    readonly set?: {
      readonly elem?: readonly {
        readonly elem: {
          readonly val: { readonly concat: readonly [string, string | number, number, number] };
          readonly counter: { readonly packets: number };
        };
      }[];
    };
  }[];
}

function collect(json: string, into: Map<string, Seen>): void {
  for (const { set } of (JSON.parse(json) as Listing).nftables) {
    for (const { elem } of set?.elem ?? []) {
      const [address, protocol, port, where] = elem.val.concat;
      const known = PROTOCOLS[protocol];
      const field = FIELDS[where];
      if (known === undefined || field === undefined) continue;
      const text = endpointText(known, address, port);
      into.set(text, { ...(into.get(text) ?? NONE), [field]: elem.counter.packets });
    }
  }
}
