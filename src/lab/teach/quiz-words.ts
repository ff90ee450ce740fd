/** What a quiz says. */
import type { Language } from "../mistakes/words.ts";

interface QuizWords {
  readonly building: string;
  /** `command`: how `sluice` is called, where `sluice lab shell` finds the laboratory. */
  rules(command: string | undefined): string;
  readonly prompt: string;
  readonly right: string;
  readonly wrong: string;
  wouldBe(name: string): string;
  unknown(word: string): string;
}

export const QUIZ_WORDS: Readonly<Record<Language, QuizWords>> = {
  en: {
    building: "  … the laboratory is built, and somebody makes a mistake in it",
    rules: (command) => `
Look around: HOST COMMAND runs a command, as in 'node02 ip addr'${command === undefined ? "" : `; in another terminal, '${command} lab shell node02'`}.
Say what is wrong by its number or name: 'list' shows all of them. 'quit' gives up.
`,
    prompt: "what is wrong? ",
    right: "Right.",
    wrong: "No.",
    wouldBe: (name) => `With ${name} one would hear:`,
    unknown: (word) =>
      `'${word}' is no mistake and no host: a number or a name of 'list', HOST COMMAND, or 'quit'\n`,
  },
  zh: {
    building: "  … 正在搭建实验环境，有人在里面犯了一个错误",
    rules: (command) => `
四处看看：“主机 命令”会在该主机上执行，例如 'node02 ip addr'${command === undefined ? "" : `；也可以在另一个终端里用 '${command} lab shell node02'`}。
用编号或名字说出哪里错了：'list' 列出全部。'quit' 放弃。
`,
    prompt: "哪里错了？ ",
    right: "正确。",
    wrong: "不对。",
    wouldBe: (name) => `如果是 ${name}，会听到：`,
    unknown: (word) =>
      `'${word}' 既不是错误的名字，也不是主机：请输入 'list' 里的编号或名字、“主机 命令”，或 'quit'\n`,
  },
};
