/** How a file says by which way packets reach a server. */
import { z } from "zod";
import { expecting, integer, keyed, oneOf } from "../base/schema-terms.ts";

const TUNNELS = ["ipip", "gre", "gue"] as const;

export const forwarding = z
  .union(
    [
      z.enum(["route", "masquerade", "tunnel"]),
      z.discriminatedUnion(
        "tunnel",
        [
          keyed({ tunnel: z.literal("ipip").describe("IP in IP.") }),
          keyed({
            tunnel: z.literal("gre").describe("Generic Routing Encapsulation."),
            checksum: oneOf(["none", "full"])
              .optional()
              .describe("Whether the outer header bears a checksum. Default: `none`."),
          }),
          keyed({
            tunnel: z.literal("gue").describe("Generic UDP Encapsulation."),
            port: integer(1, 0xffff).describe("The UDP port that the server's end listens on."),
            checksum: oneOf(["none", "full", "remote"])
              .optional()
              .describe(
                "The outer header's checksum; `remote` is remote checksum offload. Default: `none`.",
              ),
          }),
        ],
        expecting(`one of ${TUNNELS.join(", ")}`),
      ),
    ],
    expecting("route, masquerade, tunnel, or a tunnel's options such as {tunnel: gue, port: 6080}"),
  )
  .meta({ id: "forwarding" });

export type ForwardingContent = z.infer<typeof forwarding>;
