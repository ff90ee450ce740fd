/** Commands that are the shell itself: they know its state. */
import type { Work } from "../time/waiting.ts";
import { resolvePath } from "./files.ts";
import { type Context, waitFor } from "./program.ts";
import type { ShellState } from "./shell.ts";

type Builtin = (words: readonly string[], context: Context, state: ShellState) => Work<number>;

type Immediate = (words: readonly string[], context: Context, state: ShellState) => number;

/** For what waits for nothing. */
function immediate(act: Immediate): Builtin {
  return function* (words, context, state) {
    yield* [];
    return act(words, context, state);
  };
}

export const BUILTINS: Readonly<Record<string, Builtin>> = {
  cd: immediate(([path = "/root"], { files, err }, state) => {
    const wanted = resolvePath(state.directory, path.replace(/^~/, "/root"));
    if (!files.isDirectory(wanted)) {
      err.write(`bash: cd: ${path}: No such file or directory\n`);
      return 1;
    }
    state.directory = wanted;
    return 0;
  }),
  pwd: immediate((_words, { out }, state) => {
    out.write(`${state.directory}\n`);
    return 0;
  }),
  history: immediate((_words, { out }, { history }) => {
    for (const [index, line] of history.entries()) {
      out.write(`${`${index + 1}`.padStart(5)}  ${line}\n`);
    }
    return 0;
  }),
  *wait(words, context) {
    const { process, shell } = context;
    const wanted =
      words.length === 0 ? process.children : words.flatMap((id) => shell.find(Number(id)) ?? []);
    const isDone = (): boolean => wanted.every(({ status }) => status !== undefined);
    if (!isDone()) yield* waitFor(context, { isDone });
    return words.length === 0 ? 0 : (wanted.at(-1)?.status ?? 0);
  },
  kill: immediate((words, { shell, err }) => {
    let status = 0;
    for (const word of words.filter((each) => !each.startsWith("-"))) {
      const process = shell.find(Number(word));
      if (process === undefined) {
        err.write(`bash: kill: (${word}) - No such process\n`);
        status = 1;
      } else process.interrupt();
    }
    return status;
  }),
  export: immediate(() => 0),
  set: immediate(() => 0),
  ":": immediate(() => 0),
};
