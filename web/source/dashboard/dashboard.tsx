/** A daemon, looked at. */
import "../style/dashboard.css";
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

const PLACES = ["services", "packets", "connections", "events", "changes"] as const;

export default function Dashboard(): JSX.Element {
  const route = useRoute();
  const place = PLACES.find((each) => each === route.path[0]) ?? "services";
  const state = useStore(connection);
  const known = useStore(snapshot);
  if (state.kind === "refused") return <SignIn why={state.why} />;
  if (known === undefined)
    return state.kind === "lost" ? <Nobody why={state.why} /> : <p class="notice" />;
  return (
    <>
      {state.kind === "lost" ? (
        <p class="banner" role="alert">
          {state.why}: what is shown is how it was.
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
      <h1>A token, please</h1>
      <p>{token.value === undefined ? "This daemon answers those who have one." : why}</p>
      <label>
        Token
        <input
          type="password"
          autocomplete="off"
          required
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="main">
        Look
      </button>
      <p class="aside">
        <code>sluice token create dashboard</code> writes one that may look, with{" "}
        <code>--scope admin</code> one that may change. It is kept until this tab is closed. On the
        director itself <code>sluice ui</code> prints a link that needs none.
      </p>
    </form>
  );
}

function Nobody({ why }: { readonly why: string }): JSX.Element {
  return (
    <section class="sign-in">
      <h1>No director here</h1>
      <p>{why}. This page goes on asking.</p>
      <p>
        On a director, <code>sluice ui</code> prints a link to its dashboard. The{" "}
        <a href={formatRoute(["laboratory"])}>laboratory</a> needs none: it is all in this page.
      </p>
    </section>
  );
}
