/**
 * Has the host's own stack believe what routers say about the paths of our tunnels (ICMP "fragmentation needed").
 *
 * An error about a protocol that nobody in the host speaks is thrown away. A raw socket of that protocol makes it
 * somebody's: raw_err() calls ipv4_sk_update_pmtu(), and the host's routes know the MTU as they do after IPVS's own
 * ipv4_update_pmtu() in ip_vs_in_icmp(). The sockets themselves receive nothing. IPv4 alone, as with IPVS.
 *
 * It has a price: the host no longer answers "protocol unreachable" to tunnel packets that are sent to itself.
 */
import { Tally } from "../../base/tally.ts";
import type { DesiredState } from "../../ipvs/desired/desired-state.ts";
import type { ServicePlan } from "../../ipvs/desired/service.ts";
import { serviceChanges } from "../../ipvs/desired/service-changes.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { close, setOption, socket } from "../host/system/libc.ts";
import { assemble, DROP, RETURN } from "./ring/bpf-program.ts";
import { attachFilter } from "./ring/packet-socket.ts";

const AF_INET = 2;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;

type Encapsulation = "ipip" | "gre" | "gue";

/** What outer packets of an encapsulation say that they carry: IPv4 or IPv6, GRE, UDP. */
const PROTOCOLS: Readonly<Record<Encapsulation, readonly number[]>> = {
  ipip: [IP_PROTOCOL.ipip, IP_PROTOCOL.ipv6],
  gre: [IP_PROTOCOL.gre],
  gue: [IP_PROTOCOL.udp],
};

export class PathMtuLearner implements Disposable {
  #services: DesiredState["services"] = new Map();
  readonly #tunnels = new Tally<Encapsulation>();
  readonly #sockets = new Map<number, number>();
  readonly #onError: (error: unknown) => void;

  /** `onError`: the kernel refuses a socket; tunnels work, but the host does not learn. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Learns about the paths of a state's tunnels from now on, and of no others. */
  follow({ services }: DesiredState): void {
    for (const { before, after } of serviceChanges(this.#services, services)) {
      for (const each of tunnelsOf(after)) this.#tunnels.add(each);
      for (const each of tunnelsOf(before)) this.#tunnels.delete(each);
    }
    this.#services = services;
    this.learnOf(this.#tunnels.keys());
  }

  /** Learns about the paths of these tunnels from now on, and of no others. */
  learnOf(encapsulations: Iterable<Encapsulation>): void {
    const wanted = new Set([...encapsulations].flatMap((each) => PROTOCOLS[each]));
    for (const [protocol, fd] of this.#sockets) {
      if (wanted.has(protocol)) continue;
      this.#sockets.delete(protocol);
      close(fd);
    }
    try {
      for (const protocol of wanted) {
        if (!this.#sockets.has(protocol)) this.#sockets.set(protocol, deafSocket(protocol));
      }
    } catch (error) {
      this.#onError(error);
    }
  }

  [Symbol.dispose](): void {
    this.learnOf([]);
  }
}

function tunnelsOf(plan: ServicePlan | undefined): Encapsulation[] {
  return (plan?.destinations ?? []).flatMap(({ forwarding }) =>
    forwarding.kind === "tunnel" ? [forwarding.encapsulation] : [],
  );
}

function deafSocket(protocol: number): number {
  const attempt = "learn the MTU of tunnels' paths (it needs CAP_NET_RAW)";
  const fd = socket(AF_INET, SOCK_RAW, protocol, attempt);
  try {
    attachFilter(fd, assemble([[RETURN, 0, 0, DROP]]));
    setOption(fd, SOL_SOCKET, SO_RCVBUF, 0, attempt);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}
