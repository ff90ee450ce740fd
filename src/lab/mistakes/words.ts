/** What is said around a mistake, in each language. */
import type { Text } from "./mistake.ts";

export type Language = keyof Text;

/** Which language somebody reads, as their locale has it. */
export function languageOf(environment: Readonly<Record<string, string | undefined>>): Language {
  const locale = environment.LC_ALL || environment.LC_MESSAGES || environment.LANG || "";
  return locale.startsWith("zh") ? "zh" : "en";
}

export const WORDS = {
  broken: { en: "What is broken", zh: "做错了什么" },
  seen: { en: "What one sees", zh: "看到的现象" },
  why: { en: "Why", zh: "为什么" },
  mended: { en: "What mends it", zh: "如何修复" },
  nothingTyped: {
    en: "Nothing on the hosts: the mistake is where it is asked from.",
    zh: "主机上什么都没改：错在从哪里访问。",
  },
  gone: { en: "The symptom is gone.", zh: "现象消失了。" },
} as const satisfies Record<string, Text>;
