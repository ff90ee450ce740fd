/** The token that calls bear: from the link that `sluice ui` prints, or typed in. It goes with the browser's tab. */
import { Store } from "../frame/store.ts";

const NAME = "sluice.token";

function kept(): string | undefined {
  try {
    return sessionStorage.getItem(NAME) ?? undefined;
  } catch {
    return undefined;
  }
}

export const token = new Store<string | undefined>(kept());

export function keepToken(text: string): void {
  try {
    sessionStorage.setItem(NAME, text);
  } catch {
    // It is asked for again after a reload, then.
  }
  token.set(text);
}

/** A link's ticket buys the token, once; it is taken out of the address before anybody copies that. */
export async function takeTicket(): Promise<void> {
  const [, ticket] = /^#ticket=([\w-]+)$/.exec(location.hash) ?? [];
  if (ticket === undefined) return;
  history.replaceState(undefined, "", `${location.pathname}#/services`);
  const answer = await fetch("./session", { method: "POST", body: ticket }).catch(() => undefined);
  if (answer?.ok) keepToken(((await answer.json()) as { readonly token: string }).token);
}
