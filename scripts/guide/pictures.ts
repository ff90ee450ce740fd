/** All pictures of the guide, by their files' names. */
import { DEAF, drawConnection, WHOLE } from "./connection.ts";
import { drawLaboratory } from "./laboratory.ts";
import { drawStory } from "./schedulers.ts";
import { PERSISTENT, STORIES } from "./stories.ts";
import { drawWay } from "./ways.ts";

export function pictures(): Map<string, string> {
  return new Map([
    ["laboratory.svg", drawLaboratory()],
    ...(["nat", "dr", "tun"] as const).map((way) => [`way-${way}.svg`, drawWay(way)] as const),
    ["connection.svg", drawConnection("A connection, as the director sees it", WHOLE)],
    ["connection-deaf.svg", drawConnection("A server that does not hear", DEAF)],
    ...STORIES.map((story) => [`scheduler-${story.scheduler}.svg`, drawStory(story)] as const),
    ["persistence.svg", drawStory(PERSISTENT)],
  ]);
}
