/** A mistake as a row of docs/mistakes.md. */
import type { Mistake } from "./mistake.ts";

export function row({ name, laboratory, title, complaint, doctor }: Mistake): string {
  return `| ${complaint.en} | \`${name}\` (${laboratory}): ${title.en} | \`${doctor.says}\` on ${doctor.on} |`;
}
