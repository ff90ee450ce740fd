/** `guide-pictures.ts`: draws docs/guide/images anew, each picture from a run of what it shows. */
import { writeFileSync } from "node:fs";
import { pictures } from "./guide/pictures.ts";

for (const [name, svg] of await pictures()) {
  writeFileSync(new URL(`../docs/guide/images/${name}`, import.meta.url), svg);
}
