/** What the schema finds wrong with a file, said so that one sees what would be right. */
import type { z } from "zod";
import { nearest } from "../base/nearest.ts";
import type { ConfigurationDocument } from "./document.ts";
import type { ConfigurationProblem, Path } from "./problem.ts";

type Issue = z.core.$ZodIssue;

/** Longer values are cut where they are shown. */
const SHOWN_LENGTH_MAX = 60;

export function schemaProblems(
  document: ConfigurationDocument,
  issues: readonly Issue[],
): ConfigurationProblem[] {
  const problems = issues.flatMap((issue) => problemsOf(document, issue, []));
  // A value that breaks two rules of the same kind is told of once.
  const told = new Set<string>();
  return problems.filter(({ path, message }) => {
    const text = `${path}: ${message}`;
    return !told.has(text) && told.add(text);
  });
}

function problemsOf(
  document: ConfigurationDocument,
  issue: Issue,
  above: Path,
): ConfigurationProblem[] {
  const path = [...above, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    // The message is the keys that there are: schema.ts.
    const known = issue.message.split(" ");
    return issue.keys.map((key) => document.problemWithKey(path, key, aboutKey(key, known)));
  }
  if (issue.code === "invalid_union") {
    const member = nearestMember(issue.errors);
    if (member !== undefined) return member.flatMap((each) => problemsOf(document, each, path));
  }
  const value = valueAt(document.value, path);
  return [
    document.problem(path, `${issue.message}, got ${shown(value)}${aboutWord(value, issue)}`),
  ];
}

/** Of a word that is not one of those that would do: which of them may be meant. */
function aboutWord(value: unknown, issue: Issue): string {
  if (issue.code !== "invalid_value" || typeof value !== "string") return "";
  const meant = nearest(value, issue.values.map(String));
  return meant === undefined ? "" : `, did you mean "${meant}"?`;
}

/** Of the kinds of value that would do, the one that this is, but for what is in it. */
function nearestMember(members: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const fitting = members.filter((issues) =>
    issues.every(({ code, path }) => path.length > 0 || code === "unrecognized_keys"),
  );
  return fitting.toSorted((one, other) => one.length - other.length)[0];
}

function aboutKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  return meant === undefined
    ? `unknown key, expected one of ${known.join(", ")}`
    : `unknown key, did you mean "${meant}"?`;
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inside, part) =>
      typeof inside === "object" && inside !== null && Object.hasOwn(inside, part)
        ? (inside as Record<PropertyKey, unknown>)[part]
        : undefined,
    value,
  );
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX)}...`;
}
