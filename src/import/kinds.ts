/** The programs whose configurations are read, each loaded when it is asked for. */
import { hostname } from "node:os";
import { basename } from "node:path";
import type { Names } from "../cli/ipvsadm/naming.ts";
import type { FileContent } from "../configuration/schema.ts";
import { contentOf } from "../configuration/write.ts";
import { Notes, type Told } from "./told.ts";

export interface Imported {
  readonly content: FileContent;
  readonly told: readonly Told[];
}

interface ImportOptions {
  readonly names: Names;
  /** For keepalived's `@id` lines; undefined: the host's name. */
  readonly id: string | undefined;
}

export const KINDS = {
  async keepalived(file: string, text: string, { id = ownName() }: ImportOptions) {
    const [{ importKeepalived }, { diskFiles }, { serversContent }] = await Promise.all([
      import("./keepalived/import.ts"),
      import("./keepalived/disk-files.ts"),
      import("./content.ts"),
    ]);
    const notes = new Notes();
    const servers = importKeepalived(file, text, { files: diskFiles, id, notes });
    return { content: serversContent(servers, notes), told: notes.all() };
  },
  async ldirectord(file: string, text: string, { names, id = ownName() }: ImportOptions) {
    const [{ importLdirectord }, { serversContent }] = await Promise.all([
      import("./ldirectord/import.ts"),
      import("./content.ts"),
    ]);
    const notes = new Notes();
    const servers = await importLdirectord(file, text, { names, id, notes });
    return { content: serversContent(servers, notes), told: notes.all() };
  },
  async "ipvsadm-save"(file: string, text: string, { names }: ImportOptions) {
    const { importIpvsadmSave } = await import("./ipvsadm-save.ts");
    const { wanted, dropped } = await importIpvsadmSave(text, names);
    const told = dropped.map(
      ({ line, text: words, why }): Told => ({
        at: { file, line },
        kind: "dropped",
        text: words,
        why,
      }),
    );
    return { content: contentOf(wanted), told };
  },
} as const satisfies Record<
  string,
  (file: string, text: string, options: ImportOptions) => Promise<Imported>
>;

function ownName(): string {
  return hostname().split(".")[0]!;
}

export type Kind = keyof typeof KINDS;

/** `keepalived`, or a file's name that says it. */
export function kindNamed(name: string): Kind | undefined {
  const base = basename(name);
  return (Object.keys(KINDS) as Kind[]).find((kind) => base.startsWith(kind));
}

// biome-ignore format: a table
const SIGNS: readonly (readonly [sign: RegExp, kind: Kind])[] = [
  [/^\s*(virtual_server|virtual_server_group|global_defs|vrrp_instance|include\w?)\b/m, "keepalived"],
  [/^\s*(virtual|virtual6)\s*=/m,                                                     "ldirectord"],
  [/^\s*-(A|-add-service)\s/m,                                                        "ipvsadm-save"],
];

/** By what only one of them has in its files. */
export function kindOfText(text: string): Kind | undefined {
  return SIGNS.find(([sign]) => sign.test(text))?.[1];
}
