/**
 * A host's sysctls: named numbers under /proc/sys, by the kernel's defaults.
 *
 * How `all` and an interface's own value go together differs by name (include/linux/inetdevice.h): the greater of both,
 * either of both, or the interface's alone.
 */

/** Of each interface, of "all", and of "default", which new interfaces begin with. */
const INTERFACE_SETTINGS = {
  ipv4: {
    accept_local: 0,
    accept_redirects: 1,
    arp_accept: 0,
    arp_announce: 0,
    arp_filter: 0,
    arp_ignore: 0,
    arp_notify: 0,
    forwarding: 0,
    log_martians: 0,
    promote_secondaries: 0,
    proxy_arp: 0,
    route_localnet: 0,
    rp_filter: 0,
    send_redirects: 1,
    shared_media: 1,
  },
  ipv6: { accept_dad: 0, accept_ra: 0, disable_ipv6: 0, forwarding: 0 },
} as const;

type Inet4Name = keyof (typeof INTERFACE_SETTINGS)["ipv4"];
type Inet6Name = keyof (typeof INTERFACE_SETTINGS)["ipv6"];

const HOST_SETTINGS: Readonly<Record<string, number>> = {
  "net.ipv4.icmp_echo_ignore_all": 0,
  "net.ipv4.icmp_echo_ignore_broadcasts": 1,
  "net.ipv4.ip_default_ttl": 64,
  "net.ipv4.ip_forward": 0,
  "net.ipv4.tcp_fin_timeout": 60,
  "net.netfilter.nf_conntrack_tcp_loose": 1,
};

/** Values that somebody else keeps: the director's knobs. */
export interface Annexe {
  /** With the dot at its end. */
  readonly prefix: string;
  names(): readonly string[];
  read(name: string): string | undefined;
  /** False when it does not take the value. */
  write(name: string, value: string): boolean;
}

/** How a setting changed: for who tells of it. */
export type SettingWatcher = (path: string, value: string) => void;

export class Settings {
  readonly #values = new Map<string, number>(Object.entries(HOST_SETTINGS));
  readonly #annexes: Annexe[] = [];
  readonly #watch: SettingWatcher;
  readonly #changed = new Set<string>();

  constructor(watch: SettingWatcher) {
    this.#watch = watch;
    for (const name of ["all", "default"]) this.addInterface(name);
  }

  addInterface(name: string): undefined {
    for (const [version, defaults] of Object.entries(INTERFACE_SETTINGS)) {
      for (const [setting, value] of Object.entries(defaults)) {
        const inherited = this.#values.get(`net.${version}.conf.default.${setting}`);
        this.#values.set(`net.${version}.conf.${name}.${setting}`, inherited ?? value);
      }
    }
  }

  removeInterface(name: string): undefined {
    for (const path of this.#values.keys()) {
      if (path.includes(`.conf.${name}.`)) this.#values.delete(path);
    }
  }

  attach(annexe: Annexe): undefined {
    this.#annexes.push(annexe);
  }

  /** With dots between names; undefined: there is none. */
  read(path: string): string | undefined {
    const annexe = this.#annexes.find(({ prefix }) => path.startsWith(prefix));
    if (annexe !== undefined) return annexe.read(path.slice(annexe.prefix.length));
    return this.#values.get(path)?.toString();
  }

  /** Why it cannot be, in the C library's words; undefined when it is done. */
  write(path: string, text: string): string | undefined {
    const value = text.trim();
    const annexe = this.#annexes.find(({ prefix }) => path.startsWith(prefix));
    if (annexe !== undefined) {
      const name = path.slice(annexe.prefix.length);
      if (annexe.read(name) === undefined) return "No such file or directory";
      if (!annexe.write(name, value)) return "Invalid argument";
      this.#changed.add(path);
      this.#watch(path, value);
      return undefined;
    }
    if (!this.#values.has(path)) return "No such file or directory";
    if (!/^-?\d{1,10}$/.test(value)) return "Invalid argument";
    this.#set(path, Number(value));
    return undefined;
  }

  /** All paths, sorted. */
  paths(): readonly string[] {
    const annexed = this.#annexes.flatMap((annexe) =>
      annexe.names().map((name) => `${annexe.prefix}${name}`),
    );
    return [...this.#values.keys(), ...annexed].toSorted();
  }

  /** Those that somebody wrote. */
  changed(): readonly { readonly path: string; readonly value: string }[] {
    return [...this.#changed].map((path) => ({ path, value: this.read(path) ?? "" }));
  }

  /** Of the host as a whole. */
  number(path: string): number {
    return this.#values.get(path) ?? 0;
  }

  /** IN_DEV_MAXCONF(): the greater of all's and the interface's. */
  greater(name: Inet4Name, interfaceName: string): number {
    return Math.max(this.own(name, "all"), this.own(name, interfaceName));
  }

  /** IN_DEV_ORCONF(). */
  either(name: Inet4Name, interfaceName: string): boolean {
    return this.greater(name, interfaceName) !== 0;
  }

  /** IN_DEV_CONF_GET(): the interface's alone. */
  own(name: Inet4Name, interfaceName: string): number {
    return this.number(`net.ipv4.conf.${interfaceName}.${name}`);
  }

  own6(name: Inet6Name, interfaceName: string): number {
    return this.number(`net.ipv6.conf.${interfaceName}.${name}`);
  }

  #set(path: string, value: number): undefined {
    this.#values.set(path, value);
    // devinet_sysctl_forward(), addrconf_fixup_forwarding(): one for all is one for each.
    const version = FORWARDING_OF_ALL[path];
    if (version !== undefined) {
      this.#setEverywhere(version, "forwarding", value);
      if (version === "ipv4") this.#values.set("net.ipv4.ip_forward", value);
    }
    if (path === "net.ipv6.conf.all.disable_ipv6") {
      this.#setEverywhere("ipv6", "disable_ipv6", value);
    }
    this.#changed.add(path);
    this.#watch(path, `${value}`);
  }

  #setEverywhere(version: string, name: string, value: number): undefined {
    for (const path of this.#values.keys()) {
      if (path.startsWith(`net.${version}.conf.`) && path.endsWith(`.${name}`)) {
        this.#values.set(path, value);
      }
    }
  }
}

const FORWARDING_OF_ALL: Readonly<Record<string, string>> = {
  "net.ipv4.ip_forward": "ipv4",
  "net.ipv4.conf.all.forwarding": "ipv4",
  "net.ipv6.conf.all.forwarding": "ipv6",
};
