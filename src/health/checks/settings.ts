/** Every kind of check: what it is, and the settings that it has of its own. checks/index.ts has what carries it out. */
import { DNS_SETTINGS } from "./dns-settings.ts";
import { EXEC_SETTINGS } from "./exec-settings.ts";
import { FILE_SETTINGS } from "./file-settings.ts";
import { GRPC_SETTINGS } from "./grpc-settings.ts";
import { HTTP_SETTINGS, HTTPS_SETTINGS } from "./http-settings.ts";
import { ICMP_SETTINGS } from "./icmp-settings.ts";
import { MYSQL_SETTINGS } from "./mysql-settings.ts";
import { POSTGRES_SETTINGS } from "./postgres-settings.ts";
import { REDIS_SETTINGS } from "./redis-settings.ts";
import { SMTP_SETTINGS } from "./smtp-settings.ts";
import { TLS_SETTINGS } from "./tls-settings.ts";
import { UDP_SETTINGS } from "./udp-settings.ts";

// biome-ignore format: a table
export const CHECK_KINDS = {
  tcp:      { says: "A connection is accepted.",                                      hasPort: true,  settings: {} },
  http:     { says: "A page is answered by HTTP, with a good status.",                hasPort: true,  settings: HTTP_SETTINGS },
  https:    { says: "The same over TLS, with a good certificate.",                    hasPort: true,  settings: HTTPS_SETTINGS },
  tls:      { says: "TLS's handshake is completed, with a good certificate.",         hasPort: true,  settings: TLS_SETTINGS },
  grpc:     { says: "gRPC's health service (grpc.health.v1) answers SERVING.",        hasPort: true,  settings: GRPC_SETTINGS },
  dns:      { says: "A name server responds, over UDP.",                              hasPort: true,  settings: DNS_SETTINGS },
  smtp:     { says: "A mail server greets and takes a HELO.",                         hasPort: true,  settings: SMTP_SETTINGS },
  udp:      { says: "A datagram is not refused, or has the expected reply.",          hasPort: true,  settings: UDP_SETTINGS },
  icmp:     { says: "A ping is answered.",                                            hasPort: false, settings: ICMP_SETTINGS },
  redis:    { says: "A Redis server answers PING.",                                   hasPort: true,  settings: REDIS_SETTINGS },
  postgres: { says: "A PostgreSQL server begins a session.",                          hasPort: true,  settings: POSTGRES_SETTINGS },
  mysql:    { says: "A MySQL or MariaDB server greets.",                              hasPort: true,  settings: MYSQL_SETTINGS },
  exec:     { says: "A program on the director ends with exit code 0.",               hasPort: false, settings: EXEC_SETTINGS },
  file:     { says: "A file on the director has a number above 0.",                   hasPort: false, settings: FILE_SETTINGS },
} as const;

export type CheckKind = keyof typeof CHECK_KINDS;
