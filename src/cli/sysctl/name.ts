/** Names of knobs, with dots or slashes, as procps' sysctl reads them. */

const FOLDER = "net/ipv4/vs";

export type KnobName =
  | { readonly kind: "knob"; readonly name: string }
  /** net.ipv4.vs itself: all of them. */
  | { readonly kind: "folder" }
  /** A name below net.ipv4.vs that no knob has: a path that leads nowhere, and the system's words for why. */
  | { readonly kind: "none"; readonly path: string; readonly reason: string }
  /** Something else of the host's. */
  | { readonly kind: "foreign" };

/** `isKnown` tells whether a knob has the name. */
export function readName(text: string, isKnown: (name: string) => boolean): KnobName {
  const path = pathOf(text);
  if (path === FOLDER) return { kind: "folder" };
  if (!path.startsWith(`${FOLDER}/`)) return { kind: "foreign" };
  const [name = "", ...rest] = path.slice(FOLDER.length + 1).split("/");
  if (!isKnown(name)) return { kind: "none", path, reason: "No such file or directory" };
  if (rest.length > 0) return { kind: "none", path, reason: "Not a directory" };
  return { kind: "knob", name };
}

/** `net.ipv4.vs.NAME`. */
export function dottedName(name: string): string {
  return swapped(`${FOLDER}/${name}`);
}

/** The separator that comes first separates; the other one is part of a name, where it stands for the first. */
function pathOf(text: string): string {
  return /^[^.]*\//.test(text) ? text : swapped(text);
}

function swapped(text: string): string {
  return text.replaceAll(/[./]/g, (separator) => (separator === "." ? "/" : "."));
}
