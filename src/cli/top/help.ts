/** The screen that says what the keys do. */
import { line } from "./lines.ts";

const TEXT = `sluice top: services and their servers, as they are now

 up, down, j, k       the row above, the row below
 PgUp, PgDn           a screen up, a screen down
 Home, End, g, G      the first, the last
 1, 2, 3, Tab         services, where packets went, what is wrong

 s, S                 sorted by the next column, by the one before
 r                    the other way round
 /                    only what has these words: Enter keeps them, Esc ends it
 Space, Enter         a service's servers, shown or not; left, right the same
 z                    those of all services
 l                    servers alone, of all services in one list

 d                    drain the server: it gets no new connections. Asks before
 u                    undrain it. Asks before

 q, Ctrl-C            end

HEALTH: of a server as sluice status has it; of a service, how many servers may
get connections, of how many. Rates are those of ipvsadm --list --rate.
Any key goes back.`;

export const HELP_LINES = TEXT.split("\n").map((text, index) =>
  line(text, index === 0 ? "strong" : "plain"),
);
