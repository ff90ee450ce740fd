/** Which VIPs are on the host because a daemon added them: a file that the next one reads when this one is killed. */
import { rm } from "node:fs/promises";
import { openToRead, replaceFile, writeAll } from "../control/regular-file.ts";
import type { OwnVip, VipNote } from "../engine/host/vips/own-vips.ts";

const FORMAT = 1;

interface NoteJson {
  readonly format: number;
  readonly own: readonly OwnVip[];
}

/** `warn` is told what cannot be read or written: VIPs are kept all the same. */
export function vipNote(path: string, warn: (message: string) => void): VipNote {
  return {
    async read() {
      try {
        await using file = await openToRead(path);
        if (file === undefined) return [];
        const { format, own } = JSON.parse(await file.readFile("utf8")) as NoteJson;
        if (format !== FORMAT || !own.every(isOwnVip)) throw new Error("it is not a daemon's");
        return own;
      } catch (error) {
        warn(
          `Cannot use ${path}: ${(error as Error).message}. VIPs that a daemon before added stay when nobody wants them any more`,
        );
        return [];
      }
    },
    async write(own) {
      try {
        if (own.length === 0) {
          await rm(path, { force: true });
          return;
        }
        const text = `${JSON.stringify({ format: FORMAT, own } satisfies NoteJson)}\n`;
        await using _file = await replaceFile(path, (file) => writeAll(file, Buffer.from(text), 0));
      } catch (error) {
        warn(
          `Cannot write ${path}: ${(error as Error).message}. Should the daemon be killed, the VIPs that it added stay for good`,
        );
      }
    },
  };
}

function isOwnVip(each: OwnVip): boolean {
  return (
    typeof each.address === "string" &&
    typeof each.interface === "string" &&
    Number.isInteger(each.prefixLength) &&
    Number.isInteger(each.interfaceIndex)
  );
}
