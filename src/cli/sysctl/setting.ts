/** What is asked for, word by word or line by line. */

export type Request =
  | { readonly kind: "read"; readonly key: string }
  | { readonly kind: "set"; readonly key: string; readonly value: string }
  /** What should set something, and does not. */
  | { readonly kind: "mistake"; readonly complaint: string };

/** `NAME = VALUE`. With sysctl a "-" before it lets failures of some kinds pass: none that could happen here. */
const SETTING = /^\s*-?([^=]*?)\s*=\s*(.*?)\s*$/s;

/** A line of a file that says nothing. "-NAME" alone keeps a pattern away from a name: there are no patterns here. */
const EMPTY_LINE = /^\s*(?:[#;].*|-[^=]*)?$/;

export function requestsOfWords(words: readonly string[], isWriting: boolean): Request[] {
  return words.map((word): Request => {
    const setting = readSetting(word);
    if (setting !== undefined) return setting;
    return isWriting
      ? { kind: "mistake", complaint: `command line: "${word}" sets nothing: expected NAME=VALUE` }
      : { kind: "read", key: word };
  });
}

/** Lines as in sysctl.conf. */
export function requestsOfFile(name: string, text: string): Request[] {
  return text.split("\n").flatMap((line, index): Request[] => {
    if (EMPTY_LINE.test(line)) return [];
    const complaint = `${name}(${index + 1}): invalid syntax: expected NAME = VALUE`;
    return [readSetting(line) ?? { kind: "mistake", complaint }];
  });
}

function readSetting(text: string): Request | undefined {
  const [, key, value] = SETTING.exec(text) ?? [];
  return key === undefined || value === undefined ? undefined : { kind: "set", key, value };
}
