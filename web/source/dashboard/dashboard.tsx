/** A daemon, looked at. */
import "../style/dashboard/page.css";
import "../style/dashboard/figures.css";
import "../style/dashboard/lists.css";
import "../style/dashboard/service.css";
import "../style/dashboard/changes.css";
import "../style/dashboard/packets.css";
import "../style/dashboard/connections.css";
import "../style/dashboard/events.css";
import "../style/dashboard/forms.css";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { keepToken, token } from "../daemon/credentials.ts";
import { connection, refresh, snapshot } from "../daemon/live.ts";
import { formatRoute, useRoute } from "../frame/route.ts";
import { useStore } from "../frame/store.ts";
import { Changes } from "./changes.tsx";
import { Connections } from "./connections.tsx";
import { DraftBar } from "./draft-bar.tsx";
import { Events } from "./events.tsx";
import { Overview } from "./overview.tsx";
import { Packets } from "./packets.tsx";
import { Services } from "./services.tsx";
import { say } from "./words.ts";

const PLACES = ["services", "packets", "connections", "events", "changes"] as const;

export default function Dashboard(): JSX.Element {
  const route = useRoute();
  const place = PLACES.find((each) => each === route.path[0]) ?? "services";
  const state = useStore(connection);
  const known = useStore(snapshot);
  if (state.kind === "refused") return <SignIn why={state.why} />;
  if (state.kind === "none") {
    // Whoever asked for nothing else wants to see what there is.
    if (route.path.length === 0) location.replace(formatRoute(["laboratory"]));
    return <Nobody />;
  }
  if (known === undefined)
    return state.kind === "lost" ? <Nobody why={state.why} /> : <p class="notice" />;
  return (
    <>
      {state.kind === "lost" ? (
        <p class="banner" role="alert">
          {say("howItWas", { why: state.why })}
        </p>
      ) : null}
      {place === "services" ? <Overview /> : null}
      {place === "services" ? <Services route={route} /> : null}
      {place === "packets" ? <Packets /> : null}
      {place === "connections" ? <Connections query={route.query} /> : null}
      {place === "events" ? <Events /> : null}
      {place === "changes" ? <Changes /> : <DraftBar />}
    </>
  );
}

function SignIn({ why }: { readonly why: string }): JSX.Element {
  const [text, setText] = useState("");
  const sign = (event: Event): void => {
    event.preventDefault();
    keepToken(text.trim());
    refresh();
  };
  return (
    <form class="sign-in" onSubmit={sign}>
      <h1>{say("aToken")}</h1>
      <p>{token.value === undefined ? say("needsToken") : why}</p>
      <label>
        {say("token")}
        <input
          type="password"
          autocomplete="off"
          required
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="main">
        {say("look")}
      </button>
      <p class="aside">
        <code>sluice token create dashboard</code> {say("tokenLooks")} <code>--scope admin</code>{" "}
        {say("tokenChanges")} <code>sluice ui</code> {say("uiNeedsNone")}
      </p>
    </form>
  );
}

function Nobody({ why }: { readonly why?: string }): JSX.Element {
  return (
    <section class="sign-in">
      <h1>{say("noDirector")}</h1>
      {why === undefined ? null : <p>{say("goesOnAsking", { why })}</p>}
      <p>
        {say("onADirector")} <code>sluice ui</code> {say("printsALink")}{" "}
        <a href={formatRoute(["laboratory"])}>{say("laboratory")}</a> {say("needsNone")}
      </p>
    </section>
  );
}
