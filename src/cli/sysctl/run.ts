/** One run of `sluice sysctl`: from its words to its exit code. */
import { readFile } from "node:fs/promises";
import { ApiError, Client } from "../../api/client.ts";
import { socketPath } from "../../api/routes.ts";
import { adviceFor } from "../ipvsadm/connect.ts";
import type { Surroundings } from "../ipvsadm/run.ts";
import { UsageError } from "../question.ts";
import { type Answer, answer } from "./answer.ts";
import { dottedName } from "./name.ts";
import { parseSysctlOptions, SYSCTL_HELP, type SysctlOptions } from "./options.ts";
import { type Request, requestsOfFile, requestsOfWords } from "./setting.ts";

type Around = Omit<Surroundings, "names">;

/** Resolves to the exit code. */
export async function run(words: readonly string[], around: Around): Promise<number> {
  try {
    const options = parseSysctlOptions(words);
    if (options.isHelp) {
      await around.write(SYSCTL_HELP);
      return 0;
    }
    const { rows, complaints } = await obey(options, around);
    await around.write(print(rows, options));
    for (const complaint of complaints) around.complain(`sysctl: ${complaint}\n`);
    return complaints.length === 0 ? 0 : 1;
  } catch (error) {
    around.complain(`sysctl: ${explain(error as NodeJS.ErrnoException, around)}\n`);
    return 1;
  }
}

async function obey(options: SysctlOptions, around: Around): Promise<Answer> {
  const requests = await requestsOf(options, around.stdin);
  const client = new Client(socketPath(around.environment));
  try {
    const given = answer(requests, await client.call("listSysctls", {}, undefined), options);
    const isSetting = Object.keys(given.wanted).length > 0 && !options.isDryRun;
    if (isSetting) await client.call("setSysctls", {}, given.wanted);
    return given;
  } finally {
    client.close();
  }
}

async function requestsOf(
  { isAll, isWriting, files, words }: SysctlOptions,
  stdin: Around["stdin"],
): Promise<Request[]> {
  if (isAll) return [{ kind: "read", key: "net.ipv4.vs" }];
  if (files === undefined) return requestsOfWords(words, isWriting);
  const requests: Request[] = [];
  for (const file of files) requests.push(...(await requestsIn(file, stdin)));
  return requests;
}

async function requestsIn(file: string, stdin: Around["stdin"]): Promise<Request[]> {
  try {
    return requestsOfFile(file, file === "-" ? await textOf(stdin) : await readFile(file, "utf8"));
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    const complaint = `cannot open "${file}": ${OPEN_FAILURES[code] ?? message}`;
    return [{ kind: "mistake", complaint }];
  }
}

/** The system's words. */
const OPEN_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: "No such file or directory",
  EACCES: "Permission denied",
  EISDIR: "Is a directory",
};

async function textOf(stdin: Around["stdin"]): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stdin) {
    text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function print(all: Answer["rows"], { form, isQuiet }: SysctlOptions): string {
  const rows = all.filter(({ isSet }) => !(isSet && isQuiet));
  switch (form) {
    case "line":
      return rows.map(({ name, text }) => `${dottedName(name)} = ${text}\n`).join("");
    case "value":
      return rows.map(({ text }) => `${text}\n`).join("");
    case "name":
      return rows.map(({ name }) => `${dottedName(name)}\n`).join("");
    case "bare value":
      return rows.map(({ text }) => text).join("");
    case "json": {
      const object = Object.fromEntries(rows.map(({ name, value }) => [dottedName(name), value]));
      return `${JSON.stringify(object, undefined, 2)}\n`;
    }
  }
}

function explain(error: NodeJS.ErrnoException, { environment }: Around): string {
  if (error instanceof UsageError) return `${error.message}\nTry 'sluice sysctl --help'.`;
  if (error instanceof ApiError) return error.message;
  if (error.code === undefined) throw error;
  return adviceFor(error.code, socketPath(environment));
}
