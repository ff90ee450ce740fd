/** The log's line about each change that was acknowledged; those that come close together have one line. */
import type { Logger } from "pino";
import type { Control } from "../control/control.ts";

/** ipvsadm-restore, or an operator's script, gives thousands of commands a second. */
const TOGETHER_MS = 250;

export function watchChanges(control: Control, lines: Logger): Disposable {
  let told = control.generation;
  let timer: NodeJS.Timeout | undefined;
  const tell = (): void => {
    timer = undefined;
    const { generation, state } = control;
    const changes = generation - told;
    told = generation;
    if (changes <= 0) return;
    const what = changes === 1 ? "a change" : `${changes} changes`;
    lines.info(
      { event: "configuration-changed", generation, changes, services: state.services.size },
      `${what}, and generation ${generation} is in force: sluice history says what, and by whom`,
    );
  };
  const listening = control.onChange(() => {
    timer ??= setTimeout(tell, TOGETHER_MS).unref();
  });
  return {
    [Symbol.dispose]() {
      listening[Symbol.dispose]();
      clearTimeout(timer);
    },
  };
}
