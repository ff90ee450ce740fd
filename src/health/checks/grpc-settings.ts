import { z } from "zod";
import { expecting, flag } from "../../base/schema-terms.ts";
import { hostName, SECURE_SETTINGS } from "./secure-settings.ts";

const A_SERVICE = expecting("a service's name of at most 255 letters");

export const GRPC_SETTINGS = {
  service: z
    .string(A_SERVICE)
    .max(255, A_SERVICE)
    .optional()
    .describe("Which service's health is asked for. Default: that of the whole server."),
  tls: flag().optional().describe("Whether it is spoken over TLS. Default: false."),
  host: hostName().optional().describe("`:authority`. Default: the server's address and port."),
  ...SECURE_SETTINGS,
};

export type GrpcSettings = z.infer<z.ZodObject<typeof GRPC_SETTINGS>>;
