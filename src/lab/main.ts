/** `sluice lab …`: the classic LVS laboratories. */

import { commandName } from "../cli/command-name.ts";
import { LabFailure } from "./failure.ts";
import { LAB_HELP } from "./help.ts";
import { HOST_NAMES } from "./network/plan.ts";
import { type LabCommand, parseLabArguments, UsageError } from "./options.ts";
import type { BareOptions } from "./run/bare.ts";
import { openShell, takeDown } from "./run/kept-lab.ts";
import { EXIT, runLab } from "./run/outside.ts";
import { humanPresenter, jsonPresenter } from "./run/presenter.ts";
import { readKept, stateFilePath } from "./run/state-file.ts";

/** Programs that a laboratory starts on its hosts; not for the command line. */
const PROGRAMS: Readonly<
  Record<string, () => Promise<{ main(args: readonly string[]): Promise<void> }>>
> = {
  "@inside": () => import("./run/inside.ts"),
  "@bare": () => import("./run/bare.ts"),
  "@real-server": () => import("./network/real-server.ts"),
};

/** Resolves to the exit code, or to undefined when the process shall go on. */
export async function main(args: readonly string[]): Promise<number | undefined> {
  const program = PROGRAMS[args[0] ?? ""];
  if (program !== undefined) {
    await (await program()).main(args.slice(1));
    return undefined;
  }
  try {
    return await obey(parseLabArguments(args, process.cwd(), process.env));
  } catch (error) {
    if (error instanceof UsageError) {
      complain(`${error.message}\nTry '${ownName()} lab --help'.`);
      return EXIT.usage;
    }
    if (error instanceof LabFailure) {
      complain(error.message);
      return EXIT.notBuilt;
    }
    throw error;
  }
}

async function obey(command: LabCommand): Promise<number> {
  const uid = process.getuid!();
  const stateFile = stateFilePath(uid, process.env);
  switch (command.kind) {
    case "help":
      process.stdout.write(LAB_HELP);
      return EXIT.ok;
    case "down": {
      const kept = readKept(stateFile, uid);
      if (kept !== undefined) await takeDown(kept, stateFile);
      process.stdout.write(
        kept === undefined ? "No laboratory is kept.\n" : `lab ${kept.scenario} is removed.\n`,
      );
      return EXIT.ok;
    }
    case "mistake": {
      if (command.options.action === "quiz") refuseASecond(stateFile, uid);
      const { teach } = await import("./teach/main.ts");
      return await teach(command.options, stateFile, ownName(), wantsColours());
    }
    case "shell": {
      const kept = readKept(stateFile, uid);
      if (kept === undefined) {
        throw new LabFailure(`No laboratory is kept: build one with '${ownName()} lab dr --keep'`);
      }
      return await openShell(kept, command.host, command.command);
    }
    case "bare": {
      refuseASecond(stateFile, uid);
      const { scenario, family } = command;
      await keepBare({ scenario, family }, stateFile);
      const [shell, down] = [`${ownName()} lab shell HOST`, `${ownName()} lab down`];
      process.stdout.write(
        `lab ${scenario} is built: ${HOST_NAMES.join(", ")}\n'${shell}' opens a shell on one, '${down}' ends it.\n`,
      );
      return EXIT.ok;
    }
    case "simulated": {
      const { options, seed } = command;
      const presenter = options.json ? jsonPresenter() : humanPresenter(wantsColours(), ownName());
      const { runSimulated } = await import("./run/simulated.ts");
      return await runSimulated(options, seed, presenter);
    }
    case "run": {
      refuseASecond(stateFile, uid);
      const { options } = command;
      const presenter = options.json ? jsonPresenter() : humanPresenter(wantsColours(), ownName());
      return await runLab(options, stateFile, uid === 0, presenter);
    }
  }
}

function refuseASecond(stateFile: string, uid: number): void {
  const kept = readKept(stateFile, uid);
  if (kept === undefined) return;
  throw new LabFailure(
    `lab ${kept.scenario} is kept: end it with '${ownName()} lab down' before you build another`,
  );
}

async function keepBare(options: BareOptions, stateFile: string): Promise<void> {
  const { openLaboratory } = await import("./run/namespace-laboratory.ts");
  const laboratory = await openLaboratory(options);
  try {
    laboratory.keep(stateFile);
  } catch (error) {
    await laboratory.close();
    throw new LabFailure(`The laboratory cannot be kept: ${(error as Error).message}`);
  }
}

function ownName(): string {
  return commandName(process.env.PATH ?? "", process.cwd());
}

/** https://no-color.org */
function wantsColours(): boolean {
  return process.stdout.isTTY && (process.env.NO_COLOR ?? "") === "";
}

function complain(message: string): void {
  process.stderr.write(`sluice lab: ${message}\n`);
}
