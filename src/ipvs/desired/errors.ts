import { type Endpoint, formatEndpoint, formatServiceKey, type ServiceKey } from "./service.ts";

/** Everything an operator can be refused, each with the facts that explain it. */
export type Fault =
  | { readonly code: "service-exists"; readonly service: ServiceKey }
  | { readonly code: "no-such-service"; readonly service: ServiceKey }
  | { readonly code: "service-not-defined"; readonly service: ServiceKey }
  | { readonly code: "no-such-scheduler"; readonly service: ServiceKey; readonly name: string }
  | { readonly code: "destination-exists"; readonly service: ServiceKey; readonly at: Endpoint }
  | { readonly code: "no-such-destination"; readonly service: ServiceKey; readonly at: Endpoint }
  | {
      readonly code: "threshold-out-of-range";
      readonly service: ServiceKey;
      readonly at: Endpoint;
      readonly lower: number;
      readonly upper: number;
    }
  | {
      readonly code: "weight-out-of-range";
      readonly service: ServiceKey;
      readonly at: Endpoint;
      readonly weight: number;
    }
  | { readonly code: "invalid"; readonly service: ServiceKey; readonly why: string }
  | { readonly code: "invalid-vip"; readonly vip: string; readonly why: string }
  | SysctlFault;

type SysctlFault =
  | { readonly code: "no-such-sysctl"; readonly name: string }
  | { readonly code: "sysctl-not-a-number"; readonly name: string; readonly text: string }
  | {
      readonly code: "sysctl-out-of-range";
      readonly name: string;
      readonly value: number;
      readonly least: number;
      readonly most: number;
    }
  | {
      readonly code: "sysctl-without-effect";
      readonly name: string;
      readonly text: string;
      readonly why: string;
    };

export type FaultCode = Fault["code"];

interface Wording {
  readonly errno: "EEXIST" | "ESRCH" | "ENOENT" | "ERANGE" | "EINVAL" | "EOPNOTSUPP";
  readonly http: 400 | 404 | 409;
  readonly ipvsadm: string;
}

/**
 * How each surface says it. ipvsadm's words and errno are a contract: they live in this table.
 * Words as libipvs' ipvs_strerror(); errnos as ip_vs_ctl.c.
 */
// biome-ignore format: a table
export const FAULTS: Readonly<Record<FaultCode, Wording>> = {
  "service-exists":         { errno: "EEXIST", http: 409, ipvsadm: "Service already exists" },
  "no-such-service":        { errno: "ESRCH",  http: 404, ipvsadm: "No such service" },
  "service-not-defined":    { errno: "ESRCH",  http: 404, ipvsadm: "Service not defined" },
  "no-such-scheduler":      { errno: "ENOENT", http: 400, ipvsadm: "Scheduler or persistence engine not found" },
  "destination-exists":     { errno: "EEXIST", http: 409, ipvsadm: "Destination already exists" },
  "no-such-destination":    { errno: "ENOENT", http: 404, ipvsadm: "No such destination" },
  "threshold-out-of-range": { errno: "ERANGE", http: 400, ipvsadm: "Numerical result out of range" },
  "weight-out-of-range":    { errno: "ERANGE", http: 400, ipvsadm: "Numerical result out of range" },
  "invalid":                { errno: "EINVAL", http: 400, ipvsadm: "Invalid operation.  Possibly wrong module version, address not unicast, ..." },
  "invalid-vip":            { errno: "EINVAL", http: 400, ipvsadm: "Invalid VIP" },
  "no-such-sysctl":         { errno: "ENOENT", http: 400, ipvsadm: "No such file or directory" },
  "sysctl-not-a-number":    { errno: "EINVAL", http: 400, ipvsadm: "Invalid argument" },
  "sysctl-out-of-range":    { errno: "EINVAL", http: 400, ipvsadm: "Invalid argument" },
  "sysctl-without-effect":  { errno: "EOPNOTSUPP", http: 400, ipvsadm: "Operation not supported" },
};

/** An operator's command that cannot be done. Anything else that is thrown is a bug of ours. */
export class LbError extends Error {
  override readonly name = "LbError";
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(`${FAULTS[fault.code].ipvsadm}: ${describe(fault)}`);
    this.fault = fault;
  }
}

function describe(fault: Fault): string {
  if ("vip" in fault) return `${fault.vip}: ${fault.why}`;
  if (!("service" in fault)) return describeSysctl(fault);
  const service = formatServiceKey(fault.service);
  switch (fault.code) {
    case "no-such-scheduler":
      return `${service}: ${fault.name}`;
    case "destination-exists":
    case "no-such-destination":
      return `${service} -> ${formatEndpoint(fault.at)}`;
    case "threshold-out-of-range":
      return `${service} -> ${formatEndpoint(fault.at)}: lower threshold ${fault.lower} is above upper threshold ${fault.upper}`;
    case "weight-out-of-range":
      return `${service} -> ${formatEndpoint(fault.at)}: weight ${fault.weight} is not in 0 to 2147483647`;
    case "invalid":
      return `${service}: ${fault.why}`;
    default:
      return service;
  }
}

function describeSysctl(fault: SysctlFault): string {
  const name = `net.ipv4.vs.${fault.name}`;
  switch (fault.code) {
    case "no-such-sysctl":
      return name;
    case "sysctl-not-a-number":
      return `${name}: expected a whole number, got ${JSON.stringify(fault.text)}`;
    case "sysctl-out-of-range":
      return `${name}: ${fault.value} is not in ${fault.least} to ${fault.most}`;
    case "sysctl-without-effect":
      return `${name}: ${fault.why}`;
  }
}
