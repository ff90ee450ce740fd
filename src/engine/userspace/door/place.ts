/** Where the door's tables may stand: what this kernel's nftables can, and which numbers nobody has taken. */
import type { Family } from "../../../net/address.ts";
import { probe } from "./door-table.ts";
import { FAMILIES, STANDS, tableName } from "./door-words.ts";
import type { Keepers } from "./keepers.ts";
import type { Nft, NftError } from "./nft.ts";

/** What a kernel can. */
interface Abilities {
  readonly families: readonly Family[];
  /** Why packets cannot be duplicated at netfilter's hooks, as nft says; undefined: they can. */
  readonly refusal: NftError | undefined;
}

/** Throws when there can be no tables at all, with nft's words. */
export async function askKernel(nft: Nft): Promise<Abilities> {
  const refusalOf = (family: Family, duplicates: boolean): Promise<NftError | undefined> =>
    nft.run(probe(family, duplicates)).then(
      () => undefined,
      (error: NftError) => error,
    );
  // Asked all at once: each answer takes its time.
  const [none, none6, single, single6] = await Promise.all([
    refusalOf("inet", false),
    refusalOf("inet6", false),
    refusalOf("inet", true),
    refusalOf("inet6", true),
  ]);
  if (none !== undefined) throw none;
  const families: readonly Family[] = none6 === undefined ? FAMILIES : ["inet"];
  return { families, refusal: single ?? (none6 === undefined ? single6 : undefined) };
}

interface Search {
  /** Who keeps tables for processes that have gone. */
  readonly keepers: Keepers | undefined;
  /** Numbers of tables of our own. */
  readonly taken?: readonly number[];
}

/** Of no tables there are, wherever they stand: somebody may keep those of a process whose file was removed. */
export async function freeNumber(nft: Nft, { keepers, taken = [] }: Search): Promise<number> {
  const others = [...taken];
  for (;;) {
    const number = keepers?.freeNumber(...others) ?? firstBeside(others);
    const found = FAMILIES.flatMap((family) =>
      STANDS.map((stand) => nft.has(tableName(family, { stand, number }))),
    );
    if (!(await Promise.all(found)).includes(true)) return number;
    others.push(number);
  }
}

function firstBeside(taken: readonly number[]): number {
  let number = 0;
  while (taken.includes(number)) number++;
  return number;
}
