/** `sluice doctor`: what keeps a service from working, on a director or a real server. */
import type { ApiError } from "../api/client.ts";
import { socketPath } from "../api/routes.ts";
import { adviceFor } from "../cli/ipvsadm/connect.ts";
import { UsageError } from "../cli/question.ts";
import { processSurroundings } from "../cli/surroundings.ts";
import { examineDirector } from "./director/examine.ts";
import type { Examination } from "./finding.ts";
import { fix } from "./fix.ts";
import { DOCTOR_HELP, type DoctorOptions, parseDoctorArguments } from "./options.ts";
import { COLOURS, NO_COLOURS, report } from "./report.ts";
import { examineServer } from "./server/examine.ts";

const EXIT = { nothingWrong: 0, wrong: 1, usage: 2, notLooked: 3 } as const;

export async function main(args: readonly string[]): Promise<number> {
  const around = processSurroundings();
  try {
    const options = parseDoctorArguments(args);
    if (options === "help") {
      await around.write(DOCTOR_HELP);
      return EXIT.nothingWrong;
    }
    return await look(options, around);
  } catch (error) {
    if (error instanceof UsageError) {
      around.complain(`sluice doctor: ${error.message}\nTry 'sluice doctor --help'.\n`);
      return EXIT.usage;
    }
    around.complain(`sluice doctor: ${reasonOf(error as NodeJS.ErrnoException)}\n`);
    return EXIT.notLooked;
  }
}

async function look(
  options: DoctorOptions,
  { write, isTerminal, environment }: ReturnType<typeof processSurroundings>,
): Promise<number> {
  const examination = await examine(options);
  const { findings, skipped } = examination;
  const isQuiet = options.json;
  if (!isQuiet) {
    // https://no-color.org
    const hasColours = isTerminal && (environment.NO_COLOR ?? "") === "";
    await write(report(examination, hasColours ? COLOURS : NO_COLOURS));
  }
  const tell = (text: string): void => void (isQuiet || process.stdout.write(text));
  const fixed = options.fix === "no" ? [] : await fix(findings, options.fix === "ask", tell);
  if (isQuiet) {
    const all = options.fix === "no" ? { findings, skipped } : { findings, skipped, fixed };
    await write(`${JSON.stringify(all, undefined, 2)}\n`);
  }
  return findings.length === 0 ? EXIT.nothingWrong : EXIT.wrong;
}

async function examine({ server, listenMs }: DoctorOptions): Promise<Examination> {
  return server === undefined
    ? await examineDirector(listenMs)
    : await examineServer({ ...server, listenMs });
}

function reasonOf(error: NodeJS.ErrnoException | ApiError): string {
  const { code } = error;
  const isOfSocket = code === "ENOENT" || code === "ECONNREFUSED" || code === "EACCES";
  return isOfSocket
    ? `${adviceFor(code, socketPath(process.env))} On a real server: 'sluice doctor --server VIP'.`
    : error.message;
}
