/** The benchmark's real server, and what balances beside Sluice. */
import { accessSync } from "node:fs";
import { LabFailure } from "../src/lab/failure.ts";
import { firstLine, type Host } from "../src/lab/network/host.ts";
import { run, start } from "./start.ts";
import { type Load, PORTS } from "./wrk.ts";

const HAPROXY_DEFAULTS = `
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout http-request 60s
  timeout http-keep-alive 60s
`;
const PLAIN = ["--disable-warning=ExperimentalWarning"];

/** Who answers which load: processes, as /proc counts. */
export async function startServer(server: Host): Promise<Readonly<Record<Load, number>>> {
  const responder = await startHaproxyWith(
    server,
    `
global
  maxconn 2000
  nbthread 1
defaults
  mode http${HAPROXY_DEFAULTS}
frontend responder
  bind *:${PORTS.text}
  http-request return status 200 content-type text/plain string "It works.\\n"
`,
  );
  const program = new URL("download-server.ts", import.meta.url).pathname;
  const argv = [process.execPath, ...PLAIN, program, `${PORTS.download}`];
  const download = await start(server, argv, listens(PORTS.download));
  return { "keep-alive": responder, "connection-per-request": responder, download };
}

export function startHaproxy(balancer: Host, server: string): Promise<number> {
  const listeners = Object.values(PORTS).map(
    (port) => `
listen balancer${port}
  bind *:${port}
  server one ${server}:${port}
`,
  );
  return startHaproxyWith(
    balancer,
    `
global
  maxconn 2000
defaults
  mode tcp${HAPROXY_DEFAULTS}${listeners.join("")}`,
  );
}

/** Of Debian's package, unpacked by scripts/setup: installed, it would begin to serve on whoever measures. */
const NGINX = new URL("../node_modules/.cache/nginx/", import.meta.url).pathname;
const NGINX_PROGRAM = `${NGINX}usr/sbin/nginx`;
/** Beside HAProxy, on the same host. */
export const NGINX_PORTS_AFTER = 8_000;

export function hasNginx(): boolean {
  try {
    accessSync(NGINX_PROGRAM);
    return true;
  } catch {
    return false;
  }
}

export async function startNginx(balancer: Host, server: string): Promise<number> {
  const servers = Object.values(PORTS).map(
    (port) =>
      `server { listen ${NGINX_PORTS_AFTER + port} backlog=4096; proxy_pass ${server}:${port}; }`,
  );
  const lines = [
    `load_module ${NGINX}usr/lib/nginx/modules/ngx_stream_module.so;`,
    "daemon off; user root; worker_processes auto; pid /run/nginx.pid; error_log stderr;",
    "events { worker_connections 4096; }",
    `stream { ${servers.join(" ")} }`,
  ];
  await run(balancer, `cat >/run/nginx.conf <<'END'\n${lines.join("\n")}\nEND`);
  const argv = [NGINX_PROGRAM, "-e", "stderr", "-p", "/run", "-c", "/run/nginx.conf"];
  return await start(balancer, argv, listens(NGINX_PORTS_AFTER + PORTS.text));
}

/** It stays: other addresses' frames it only passes. */
export async function startYardstick(director: Host, vip: string, server: string): Promise<void> {
  // So that its neighbour is known.
  await run(director, `ping -c 1 -W 5 ${server} >/dev/null`);
  const program = new URL("yardstick-process.ts", import.meta.url).pathname;
  const child = director.start([process.execPath, ...PLAIN, program, "eth0", vip, server]);
  let complaint = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const said = await firstLine(child).catch(() => "");
  if (said !== "ready") throw new LabFailure(`The yardstick does not run: ${complaint.trim()}`);
}

async function startHaproxyWith(where: Host, configuration: string): Promise<number> {
  await run(where, `cat >/run/haproxy.cfg <<'END'${configuration}END`);
  return await start(where, ["haproxy", "-db", "-f", "/run/haproxy.cfg"], listens(PORTS.text));
}

function listens(port: number): string {
  return `ss -Hltn 'sport = :${port}' | grep -q .`;
}
