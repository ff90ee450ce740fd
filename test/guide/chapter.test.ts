import { expect, test } from "vitest";
import { formatChapter, OWN_MACHINE, parseChapter, sessionsOf } from "./chapter.ts";

const CHAPTER = `# A chapter

<!-- laboratory: nat -->

\`\`\`console
[root@node01 ~]# cat >/run/a <<END
> first
> END
[root@node02 ~]# echo said
said
> and quoted
\`\`\`

Text.

\`\`\`console listening
$ bin/sluice lab mistake one
[root@node01 ~]# this is printed
$ bin/sluice lab down
\`\`\`

\`\`\`sh
not --typed
\`\`\`
`;

test("a chapter's sessions are what is typed where, and what was printed", () => {
  const chapter = parseChapter(CHAPTER);
  expect(chapter.laboratory).toBe("nat");
  expect(sessionsOf(chapter)).toEqual([
    {
      isListening: false,
      entries: [
        { host: "node01", command: "cat >/run/a <<END\nfirst\nEND", output: "" },
        { host: "node02", command: "echo said", output: "said\n> and quoted\n" },
      ],
    },
    {
      isListening: true,
      entries: [
        {
          host: OWN_MACHINE,
          command: "bin/sluice lab mistake one",
          output: "[root@node01 ~]# this is printed\n",
        },
        { host: OWN_MACHINE, command: "bin/sluice lab down", output: "" },
      ],
    },
  ]);
  expect(formatChapter(chapter)).toBe(CHAPTER);
});

test("a session that begins without a prompt is refused", () => {
  expect(() => parseChapter("```console\nls\n```\n")).toThrow(
    /begins with a prompt, not with 'ls'/,
  );
});
