/** What went over the wires, from the captures at the switch's ports. */
import type { HostName } from "./plan.ts";

/** What one frame says, as far as the laboratories' statements ask. */
export interface WireFrame {
  readonly ethernetSource: string;
  readonly ethernetDestination: string;
  readonly content:
    | { readonly kind: "arp-reply"; readonly sender: string }
    | { readonly kind: "tcp"; readonly source: string; readonly destination: string }
    | { readonly kind: "other" };
}

export interface Wire {
  /** Every frame that left or reached a host's cards since the laboratory was built, in order. */
  frames(host: HostName): Promise<readonly WireFrame[]>;
  stop(): Promise<void>;
}
