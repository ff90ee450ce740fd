/** A conversation that goes on over TLS, or begins so. */
import type { ProbeTarget } from "../checker.ts";
import { connectTcp } from "./connection.ts";
import { Conversation } from "./conversation.ts";
import type { SecureSettings } from "./secure-settings.ts";

/** Resolves to what somebody should know of the certificate, for the outcome. */
export async function goSecure(
  server: Conversation,
  target: ProbeTarget,
  settings: SecureSettings,
  signal: AbortSignal,
): Promise<{ readonly warning?: string }> {
  // Most probes speak in the clear, and need nothing of it.
  const { secure } = await import("./secure.ts");
  let warning: string | undefined;
  await server.continueOver(async (stream) => {
    const secured = await secure(stream, target.address, settings, [], signal);
    warning = secured.warning;
    return secured.socket;
  });
  return warning === undefined ? {} : { warning };
}

/** `isSecure`: over TLS from the first byte. */
export async function converse(
  target: ProbeTarget,
  settings: SecureSettings,
  isSecure: boolean,
  signal: AbortSignal,
): Promise<{ readonly server: Conversation; readonly told: { readonly warning?: string } }> {
  const server = new Conversation(await connectTcp(target, signal), signal);
  if (!isSecure) return { server, told: {} };
  try {
    return { server, told: await goSecure(server, target, settings, signal) };
  } catch (error) {
    server[Symbol.dispose]();
    throw error;
  }
}
