/** A director on a simulated host, with its knobs among the host's sysctls. */

import type { HashKey } from "../../ipvs/connections/flow-hash.ts";
import { LbError } from "../../ipvs/desired/errors.ts";
import { listSysctls, setSysctl } from "../../ipvs/desired/set-sysctl.ts";
import { Standing } from "../../simnet/director/standing.ts";
import type { Host } from "../../simnet/host/host.ts";

/** With the kernel's IPVS any host is a director as soon as ipvsadm is called: it loads the module. */
export function directorOn(host: Host, hashKeyOf: (host: Host) => HashKey): Standing {
  if (host.director !== undefined) return host.director;
  const standing = new Standing(host, hashKeyOf(host));
  host.director = standing;
  const values = () => listSysctls(standing.director.sysctls);
  host.settings.attach({
    prefix: "net.ipv4.vs.",
    names: () => Object.keys(values()),
    read: (name) => values()[name]?.toString(),
    write: (name, value) => {
      try {
        standing.apply(setSysctl(standing.desired, name, value));
        return true;
      } catch (error) {
        if (error instanceof LbError) return false;
        throw error;
      }
    },
  });
  return standing;
}
