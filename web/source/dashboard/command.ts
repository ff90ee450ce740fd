/** Something that the daemon is told to do: one at a time, and what it says when it will not. */
import { useState } from "preact/hooks";

export function useCommand() {
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | undefined>(undefined);
  const run = (act: () => Promise<void>): void => {
    if (isBusy) return;
    setBusy(true);
    setFailure(undefined);
    act()
      .catch((error: Error) => setFailure(error.message))
      .finally(() => setBusy(false));
  };
  return { run, isBusy, failure } as const;
}
