/** What stands on every page: where one can go, and how the page looks. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { watchDaemon } from "../daemon/live.ts";
import { Help } from "./help.tsx";
import { useKeys } from "./keys.ts";
import { Later } from "./later.tsx";
import { LiveSign } from "./live-sign.tsx";
import { isUnlocked, language, theme } from "./preferences.ts";
import { formatRoute, go, useRoute } from "./route.ts";
import { useStore } from "./store.ts";
import { say } from "./words.ts";

const PLACES = ["services", "packets", "connections", "events", "changes", "laboratory"] as const;

const laboratory = () => import("../laboratory/laboratory.tsx");
const dashboard = () => import("../dashboard/dashboard.tsx");

export function App(): JSX.Element {
  const route = useRoute();
  const [isHelpShown, showHelp] = useState(false);
  useStore(language);
  const place = PLACES.find((each) => each === route.path[0]) ?? "services";
  const isLaboratory = place === "laboratory";
  useEffect(() => (isLaboratory ? undefined : watchDaemon()), [isLaboratory]);
  useEffect(() => {
    document.title = `${say(place)} · Sluice`;
  }, [place]);
  useKeys({
    "?": () => showHelp(!isHelpShown),
    Escape: () => {
      if (isHelpShown) showHelp(false);
      else if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    },
    "/": () => document.querySelector<HTMLInputElement>("[data-filter]")?.focus(),
    ...Object.fromEntries(PLACES.map((each, index) => [String(index + 1), () => go([each])])),
  });
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        {say("skip")}
      </button>
      <header class="frame">
        <a class="mark" href={formatRoute(["services"])} aria-label="Sluice">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <path d="M5 6h8v20H5M19 9h8M19 16h8M19 23h8" />
          </svg>
          <span>sluice</span>
        </a>
        <nav aria-label={say("places")}>
          {PLACES.map((each) => (
            <a
              key={each}
              href={formatRoute([each])}
              aria-current={each === place ? "page" : undefined}
            >
              {say(each)}
            </a>
          ))}
        </nav>
        <div class="switches">
          {isLaboratory ? null : <LiveSign />}
          {isLaboratory ? null : <Lock />}
          <button
            type="button"
            class="plain"
            onClick={() => language.set(language.value === "en" ? "zh" : "en")}
            aria-label={language.value === "en" ? "中文" : "English"}
          >
            {language.value === "en" ? "中文" : "EN"}
          </button>
          <ThemeSwitch />
          <button
            type="button"
            class="plain"
            onClick={() => showHelp(true)}
            aria-label={say("keys")}
          >
            ?
          </button>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        <Later load={isLaboratory ? laboratory : dashboard} />
      </main>
      {isHelpShown ? <Help onClose={() => showHelp(false)} /> : null}
    </>
  );
}

function ThemeSwitch(): JSX.Element {
  const shown = useStore(theme);
  const other = shown === "dark" ? "light" : "dark";
  return (
    <button type="button" class="plain" onClick={() => theme.set(other)} aria-label={say(other)}>
      <svg viewBox="0 0 16 16" aria-hidden="true" class="half">
        <circle cx="8" cy="8" r="6" />
        <path d="M8 2a6 6 0 0 1 0 12z" />
      </svg>
    </button>
  );
}

function Lock(): JSX.Element {
  const isOpen = useStore(isUnlocked);
  return (
    <button
      type="button"
      class="lock"
      role="switch"
      aria-checked={isOpen}
      onClick={() => isUnlocked.set(!isOpen)}
      title={say(isOpen ? "lockTitle" : "unlockTitle")}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <rect x="3" y="7" width="10" height="7" rx="1.5" />
        <path d={isOpen ? "M5.5 7V4.5a2.5 2.5 0 0 1 4.8-1" : "M5.5 7V4.5a2.5 2.5 0 0 1 5 0V7"} />
      </svg>
      {say(isOpen ? "unlocked" : "locked")}
    </button>
  );
}
