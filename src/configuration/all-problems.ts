/** All that is wrong with a configuration, once. */
import type { Doubt, LoadedFiles } from "./files.ts";
import type { ConfigurationProblem } from "./problem.ts";
import type { Resolved } from "./resolve.ts";

/** What is wrong with files by themselves, and what does not fit together, but for what only the former brings about. */
export function allProblems(
  { problems, doubtful }: LoadedFiles,
  resolved: Pick<Resolved, "problems">,
): readonly ConfigurationProblem[] {
  if (doubtful === undefined) return problems;
  return [...problems, ...resolved.problems.filter(isBeyond(doubtful))];
}

/** Which names somebody calls is sure, whatever else is wrong beside. */
const CALLS = /^\.(pool|check|checks(\[\d+\])?)$/;

function isBeyond(doubtful: readonly Doubt[]): (problem: ConfigurationProblem) => boolean {
  return ({ file, path }) =>
    !doubtful.some((doubt) => {
      if (doubt.file !== file || !path.startsWith(doubt.path)) return false;
      const below = path.slice(doubt.path.length);
      return /^($|[.[])/.test(below) && !CALLS.test(below);
    });
}
