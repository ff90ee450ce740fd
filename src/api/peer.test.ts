import { expect, test } from "vitest";
import { mayCommand } from "./peer.ts";

// biome-ignore format: a table
const cases: [who: string, peer: [uid: number, ...gids: number[]], owner: [uid: number, gid: number], isAllowed: boolean][] = [
  ["root",                                           [0, 0],              [0, 0],         true],
  ["root without the socket's group",                [0, 5],              [1000, 1000],   true],
  ["the daemon's user",                              [1000, 1000],        [1000, 0],      true],
  ["another user",                                   [1001, 1001],        [1000, 1000],   false],
  ["a member of the socket's group",                 [1001, 7],           [0, 7],         true],
  ["a member by a supplementary group",              [1001, 1001, 3, 7],  [0, 7],         true],
  ["a member of the group root",                     [65_534, 0],         [0, 0],         false],
  ["a supplementary member of the group root",       [1001, 1001, 0],     [0, 0],         false],
  ["somebody of another user namespace",             [65_534, 65_534],    [65_534, 65_534], false],
];

test.for(cases)("%s", ([, [uid, ...gids], [ownUid, gid], isAllowed]) => {
  expect(mayCommand({ uid, gids }, { uid: ownUid, gid })).toBe(isAllowed);
});
