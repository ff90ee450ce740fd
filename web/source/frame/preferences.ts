/** What a reader chose, kept by the browser where it keeps anything. */
import { Store } from "./store.ts";

export type Theme = "light" | "dark";
export type Language = "en" | "zh";

function kept<Value extends string>(name: string, values: readonly Value[]): Value | undefined {
  try {
    return values.find((each) => each === localStorage.getItem(`sluice.${name}`));
  } catch {
    return undefined;
  }
}

function keep(name: string, value: string): void {
  try {
    localStorage.setItem(`sluice.${name}`, value);
  } catch {
    // It is forgotten with the page, then.
  }
}

export const theme = new Store<Theme>(
  kept("theme", ["light", "dark"]) ??
    (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"),
);

export const language = new Store<Language>(
  kept("language", ["en", "zh"]) ?? (navigator.language.startsWith("zh") ? "zh" : "en"),
);

/** Whether what changes something may be pressed. Never kept: each page begins as one to look at. */
export const isUnlocked = new Store(false);

function show(): void {
  document.documentElement.dataset.theme = theme.value;
  document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
}

show();
theme.watch(() => {
  keep("theme", theme.value);
  show();
});
language.watch(() => {
  keep("language", language.value);
  show();
});
