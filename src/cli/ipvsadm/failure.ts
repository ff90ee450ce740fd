/** Why a command line failed: what it prints on stderr and the exit code. */

/** 2: ipvsadm refuses by itself. 255: popt or the kernel does. 1: a listing finds nothing to list. */
export type ExitCode = 1 | 2 | 255;

export class Failure extends Error {
  override readonly name = "Failure";
  readonly exitCode: ExitCode;
  /** Whether `-R` stops at it: it goes on after what the kernel refuses and after words that popt does not know. */
  readonly isFinal: boolean;

  constructor(message: string, exitCode: ExitCode, { isFinal }: { isFinal: boolean }) {
    super(message);
    this.exitCode = exitCode;
    this.isFinal = isFinal;
  }
}

/** A mistake in the command line that ipvsadm itself finds. */
export function mistake(message: string): Failure {
  return new Failure(message, 2, { isFinal: true });
}

/** The first option is no command. */
export function tryHelp(): Failure {
  const hint = "Try `ipvsadm -h' or 'ipvsadm --help' for more information.";
  return new Failure(hint, 255, { isFinal: true });
}

/** Tells why and returns the exit code. What is no refusal is a bug of ours, or a daemon that went away. */
export function complain(error: unknown, tell: (text: string) => void): number {
  if (error instanceof Failure) {
    tell(`${error.message}\n`);
    return error.exitCode;
  }
  const { code, message } = error as NodeJS.ErrnoException;
  tell(code === undefined ? `${(error as Error).stack}\n` : `Lost the daemon: ${message}\n`);
  return 255;
}
