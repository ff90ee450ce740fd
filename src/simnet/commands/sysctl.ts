/** `sysctl` of procps. */
import { immediate, type Program } from "../shell/program.ts";

export const sysctl: Program = immediate((words, { host, out, err }) => {
  const { settings } = host;
  let isWriting = false;
  let isBare = false;
  let isQuiet = false;
  let pattern: RegExp | undefined;
  let isAll = false;
  const names: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "-w" || word === "--write") isWriting = true;
    else if (word === "-n" || word === "--values") isBare = true;
    else if (word === "-q" || word === "--quiet") isQuiet = true;
    else if (word === "-a" || word === "-A" || word === "--all") isAll = true;
    else if (word === "-r" || word === "--pattern") pattern = new RegExp(words[++at] ?? "");
    else if (word === "-e" || word === "-N") continue;
    else if (word === "-p" || word === "--system") continue;
    else if (word.startsWith("-")) {
      err.write(`sysctl: invalid option -- '${word.replace(/^-+/, "")}'\n`);
      return 1;
    } else names.push(word);
  }
  if (isAll) names.push(...settings.paths().filter((path) => pattern?.test(path) ?? true));
  if (names.length === 0) {
    err.write(`sysctl: no variables specified\nTry \`sysctl --help' for more information.\n`);
    return 1;
  }
  const show = (path: string, value: string): void => {
    if (!isQuiet) out.write(isBare ? `${value}\n` : `${path} = ${value}\n`);
  };
  let status = 0;
  for (const name of names) {
    const [, key = name, value] = /^([^=]*?) *= *(.*)$/s.exec(name) ?? [];
    const path = key.replaceAll("/", ".");
    const now = settings.read(path);
    if (now === undefined) {
      err.write(
        `sysctl: cannot stat /proc/sys/${path.replaceAll(".", "/")}: No such file or directory\n`,
      );
      status = 1;
    } else if (value === undefined) {
      if (isWriting) {
        err.write(`sysctl: "${name}" must be of the form name=value\n`);
        status = 1;
      } else show(path, now);
    } else {
      const complaint = settings.write(path, value);
      if (complaint === undefined) show(path, value);
      else {
        err.write(`sysctl: setting key "${path}": ${complaint}\n`);
        status = 1;
      }
    }
  }
  return status;
});
