/** All pictures of the guide, by their files' names. */
import { drawArpAnnounce, drawArpIgnore } from "./arp.ts";
import { DEAF, drawConnection, WHOLE } from "./connection.ts";
import { drawLaboratory } from "./laboratory.ts";
import { drawStory } from "./schedulers.ts";
import { PERSISTENT, STORIES } from "./stories.ts";
import { drawWay } from "./ways.ts";

export async function pictures(): Promise<Map<string, string>> {
  return new Map([
    ["laboratory.svg", drawLaboratory()],
    ...(["nat", "dr", "tun"] as const).map((way) => [`way-${way}.svg`, drawWay(way)] as const),
    ["connection.svg", drawConnection("A connection, as the director sees it", WHOLE)],
    ["connection-deaf.svg", drawConnection("A server that does not hear", DEAF)],
    ...STORIES.map((story) => [`scheduler-${story.scheduler}.svg`, drawStory(story)] as const),
    ["persistence.svg", drawStory(PERSISTENT)],
    ["arp-ignore.svg", await drawArpIgnore()],
    ["arp-announce.svg", await drawArpAnnounce()],
  ]);
}
