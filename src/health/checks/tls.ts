/** Whether a server completes the TLS handshake, with a certificate that is good. */
import { connectTcp, lastWord, shared } from "./connection.ts";
import { checker, ProbeFailure } from "./probe.ts";
import { secure } from "./secure.ts";
import type { TlsSettings } from "./tls-settings.ts";

export const tls = checker<TlsSettings>(async (target, settings, signal) => {
  const { protocols = [] } = settings;
  const connection = await connectTcp(target, signal);
  using _ = shared(connection);
  const { socket, warning } = await secure(connection, target.address, settings, protocols, signal);
  if (protocols.length > 0 && !socket.alpnProtocol) {
    throw new ProbeFailure(`the server takes none of the protocols ${protocols.join(", ")}`);
  }
  const version = socket.getProtocol();
  // By TLS 1.3 we are ready before the server is, which tells by a ticket for a session (RFC 8446 section 4.6.1).
  if (version === "TLSv1.3") await lastWord(socket, "session");
  const why = [version, socket.alpnProtocol || undefined];
  return {
    up: true,
    why: why.filter((part) => part !== undefined).join(", "),
    ...(warning !== undefined && { warning }),
  };
});
