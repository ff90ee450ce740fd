/** The dashboard's words, in the reader's language. */
import { language } from "../frame/preferences.ts";
import { speaker } from "../frame/speaker.ts";
import { WORDS } from "./vocabulary.ts";

export const say = speaker(WORDS, () => language.value);
