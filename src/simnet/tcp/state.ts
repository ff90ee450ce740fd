/** The states of a connection, RFC 9293 section 3.3.2, as `ss` names them. */
export type TcpState =
  | "CLOSED"
  | "SYN-SENT"
  | "SYN-RECV"
  | "ESTAB"
  | "FIN-WAIT-1"
  | "FIN-WAIT-2"
  | "CLOSING"
  | "TIME-WAIT"
  | "CLOSE-WAIT"
  | "LAST-ACK";

export type TcpError = "ECONNREFUSED" | "ECONNRESET" | "EHOSTUNREACH" | "ETIMEDOUT";

/** The peer has sent its last byte. */
export const HAS_ENDED: ReadonlySet<TcpState> = new Set([
  "CLOSE-WAIT",
  "LAST-ACK",
  "CLOSING",
  "TIME-WAIT",
  "CLOSED",
]);

export const MAY_SEND: ReadonlySet<TcpState> = new Set(["ESTAB", "CLOSE-WAIT"]);

/** What follows when the peer's FIN has come; undefined: nothing. */
export function afterFin(state: TcpState): "CLOSE-WAIT" | "CLOSING" | "TIME-WAIT" | undefined {
  switch (state) {
    case "SYN-RECV":
    case "ESTAB":
      return "CLOSE-WAIT";
    case "FIN-WAIT-1":
      return "CLOSING";
    case "FIN-WAIT-2":
      return "TIME-WAIT";
    default:
      return undefined;
  }
}

/** What follows when the peer has acknowledged our FIN; undefined: nothing. */
export function afterOwnFin(state: TcpState): "FIN-WAIT-2" | "TIME-WAIT" | "CLOSED" | undefined {
  switch (state) {
    case "FIN-WAIT-1":
      return "FIN-WAIT-2";
    case "CLOSING":
      return "TIME-WAIT";
    case "LAST-ACK":
      return "CLOSED";
    default:
      return undefined;
  }
}

/** Whether a sequence number comes after another, which may be before the wrap: RFC 9293 section 3.4. */
export function isAfter(one: number, other: number): boolean {
  return ((one - other) | 0) > 0;
}
