/** A keepalived.conf as virtual servers, and what of it is told. */
import type { ImportedServers } from "../model.ts";
import type { Notes } from "../told.ts";
import { readGroups } from "./groups.ts";
import { linesOf, type ReadingOptions } from "./lines.ts";
import { type Statement, statementsOf } from "./statements.ts";
import { readGlobal, reasonOf } from "./top-level.ts";
import { readVirtualServer } from "./virtual-servers.ts";

export function importKeepalived(
  path: string,
  text: string,
  options: ReadingOptions,
): ImportedServers {
  const { notes } = options;
  const byKeyword = new Map<string, Statement[]>();
  for (const statement of statementsOf(linesOf(path, text, options), notes)) {
    const keyword = statement.words[0]!;
    const alike = byKeyword.get(keyword);
    if (alike === undefined) byKeyword.set(keyword, [statement]);
    else alike.push(statement);
  }
  const all = (...keywords: readonly string[]): readonly Statement[] =>
    keywords.flatMap((keyword) => {
      const statements = byKeyword.get(keyword) ?? [];
      byKeyword.delete(keyword);
      return statements;
    });
  const groups = readGroups(all("virtual_server_group"), notes);
  const trackFiles = trackFilesIn(all("track_file", "vrrp_track_file"));
  const { timeouts, mailing } = readGlobal(all("global_defs"), options);
  const virtualServers = all("virtual_server").flatMap((statement) => {
    const server = readVirtualServer(statement, { groups, trackFiles, mailing, notes });
    return server === undefined ? [] : [server];
  });
  for (const [keyword, statements] of byKeyword) tellOthers(keyword, statements, notes);
  return { virtualServers, timeouts };
}

/** `track_file NAME { file PATH }`: only FILE_CHECK's are ours. */
function trackFilesIn(statements: readonly Statement[]): ReadonlyMap<string, string> {
  return new Map(
    statements.flatMap(({ words, block = [] }) => {
      const path = block.find((each) => each.words[0] === "file")?.words[1];
      return words[1] === undefined || path === undefined ? [] : [[words[1], path] as const];
    }),
  );
}

/** Once for each block, whatever is in it. */
function tellOthers(keyword: string, statements: readonly Statement[], notes: Notes): void {
  for (const { at, text } of statements) notes.dropped(at, text, reasonOf(keyword));
}
