/** Commands that only a laboratory's hosts have: what a service manager and a kernel module would do elsewhere. */

import { LabFailure } from "../failure.ts";
import { HOST_COMMANDS } from "../program.ts";
import type { Hosts } from "./hosts.ts";
import type { LabPlan, RealServerPlan } from "./plan.ts";

/** Puts them into each real server's own /run, and starts its web server. */
export async function furnishRealServers(plan: LabPlan, hosts: Hosts): Promise<void> {
  await Promise.all(
    plan.realServers.map(async (server) => {
      const files = { httpd: httpd(plan, server), ipvsadm: IPVSADM };
      const lines = Object.entries(files).map(
        ([name, text]) =>
          `cat >${HOST_COMMANDS}/${name} <<'END'\n${text}END\nchmod +x ${HOST_COMMANDS}/${name}\n`,
      );
      const { code, output } = await hosts[server.host].run(
        `mkdir -p ${HOST_COMMANDS}\n${lines.join("")}httpd -k start`,
      );
      if (code !== 0) {
        throw new LabFailure(`${server.host}'s web server does not start: ${output.trim()}`);
      }
    }),
  );
}

/** Apache's words for our web server. What is started belongs to the laboratory, and ends with it. */
function httpd({ realPort }: LabPlan, { rip }: RealServerPlan): string {
  return `#!/bin/sh
usage() { echo "usage: httpd -k start|stop|restart [-c 'Listen [ADDRESS:]PORT']" >&2; exit 2; }
action=start listen=${realPort}
while [ $# -gt 0 ]; do
  case "$1 $2" in
    "-k start" | "-k stop" | "-k restart") action=$2 ;;
    "-c Listen "*) listen=\${2#Listen } ;;
    *) usage ;;
  esac
  shift 2
done
cd ${HOST_COMMANDS} || exit 1
if [ $action != start ] && [ -e httpd.pid ]; then
  read -r pid port <httpd.pid
  # Nobody asks how orphans ended, so that their numbers stay: whether it still listens tells.
  kill "$pid" && while [ -n "$(ss -Htln "sport = :$port")" ]; do sleep 0.02; done
  rm -f httpd.pid
fi
[ $action != stop ] || exit 0
[ ! -e httpd.pid ] || { echo "httpd (pid $(cut -d ' ' -f 1 httpd.pid)) already running"; exit 0; }
: >httpd.log
setsid sluice lab @real-server ${rip} "$listen" >httpd.log 2>&1 </dev/null &
echo "$! \${listen##*:}" >httpd.pid
until grep -q listening httpd.log; do
  [ ! -s httpd.log ] || grep -q listening httpd.log || { cat httpd.log; rm -f httpd.pid; exit 1; }
  sleep 0.02
done
`;
}

/** With the kernel's IPVS any host is a director as soon as ipvsadm is called: it loads the module. */
const IPVSADM = `#!/bin/sh
cd ${HOST_COMMANDS} || exit 1
if [ ! -S "$SLUICE_SOCKET" ]; then
  setsid sluice daemon --socket "$SLUICE_SOCKET" --state state.json --grace 0 >daemon.log 2>&1 </dev/null &
  waited=0
  until [ -S "$SLUICE_SOCKET" ]; do
    waited=$((waited + 1))
    [ $waited -lt 200 ] || { cat daemon.log; exit 1; }
    sleep 0.05
  done
fi
PATH=\${PATH#${HOST_COMMANDS}:}
exec ipvsadm "$@"
`;
