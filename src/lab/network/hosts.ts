/** Builds a plan's hosts and wires: a bridge per segment, a veth pair per network card. */
import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import type { Family } from "../../net/address.ts";
import { LabFailure } from "../failure.ts";
import { Host } from "./host.ts";
import { type HostName, type LabPlan, macOf, portOf } from "./plan.ts";

export type Hosts = Readonly<Record<HostName, Host>>;

/**
 * A fresh network namespace takes IPv4's settings from the machine's first one, whatever its owner set there: the
 * handbook's are what a fresh CentOS has.
 */
const FRESH_SETTINGS = `
for conf in /proc/sys/net/ipv4/conf/*; do
  echo 0 >$conf/arp_ignore; echo 0 >$conf/arp_announce; echo 0 >$conf/rp_filter; echo 1 >$conf/send_redirects
done
echo 0 >/proc/sys/net/ipv4/ip_forward
ip link set lo up
`;

/** Where nothing speaks IPv6 it is off, and captures stay short. Where it does, nobody waits for duplicate addresses. */
const FRESH_INET6_SETTINGS: Readonly<Record<Family, string>> = {
  inet: `
[ ! -e /proc/sys/net/ipv6/conf ] || for conf in all default; do echo 1 >/proc/sys/net/ipv6/conf/$conf/disable_ipv6; done
`,
  inet6: `
[ -e /proc/sys/net/ipv6/conf ] || { echo "this machine's kernel has no IPv6"; exit 1; }
for conf in /proc/sys/net/ipv6/conf/*; do
  echo 0 >$conf/forwarding; echo 0 >$conf/accept_ra; echo 0 >$conf/accept_dad; echo 0 >$conf/disable_ipv6
done
`,
};

/** To be called where the switch shall be: the caller's own network namespace gets the bridges. */
export async function buildNetwork(plan: LabPlan): Promise<Hosts> {
  quietSwitch();
  const hosts = Object.fromEntries(
    await Promise.all(plan.hosts.map(async ({ name }) => [name, await Host.create(name)] as const)),
  ) as Hosts;
  await ip(
    ["-batch", "-"],
    switchLines(plan, hosts)
      .map((line) => `${line}\n`)
      .join(""),
  );
  await Promise.all(
    plan.hosts.map(async ({ name, cards }) => {
      const addresses = cards.map(
        (card) =>
          `ip address add ${card.address}/${plan.prefixLength} ${plan.family === "inet" ? "brd +" : "nodad"} dev ${card.name} && ip link set ${card.name} up`,
      );
      const { code, output } = await hosts[name].run(
        `set -e; ${FRESH_INET6_SETTINGS[plan.family]}${FRESH_SETTINGS}${addresses.join("\n")}`,
      );
      if (code !== 0) throw new LabFailure(`${name} cannot be set up: ${output.trim()}`);
    }),
  );
  return hosts;
}

/** The process that holds each host, as /proc counts. */
export function processesOf(hosts: Hosts): Record<string, number> {
  return Object.fromEntries(Object.values(hosts).map(({ name, pid }) => [name, pid]));
}

/** A switch says nothing of its own: no router solicitations, no multicast reports from its interfaces to come. */
function quietSwitch(): void {
  const setting = "/proc/sys/net/ipv6/conf/default/disable_ipv6";
  if (!existsSync(setting)) return;
  try {
    writeFileSync(setting, "1");
  } catch (error) {
    throw new LabFailure(`The switch cannot be set up: ${(error as Error).message}`);
  }
}

/** The index of each of the switch's interfaces, by name. */
export async function interfaceIndexes(): Promise<ReadonlyMap<string, number>> {
  const links = JSON.parse(await ip(["-json", "link", "show"])) as readonly {
    readonly ifname: string;
    readonly ifindex: number;
  }[];
  return new Map(links.map(({ ifname, ifindex }) => [ifname, ifindex]));
}

/** In `ip -batch`'s form. */
function switchLines(plan: LabPlan, hosts: Hosts): readonly string[] {
  const segments = new Set(plan.hosts.flatMap(({ cards }) => cards.map(({ segment }) => segment)));
  const bridges = [...segments].flatMap((segment) => [
    `link add ${segment} type bridge`,
    `link set ${segment} up`,
  ]);
  const cables = plan.hosts.flatMap((host) =>
    host.cards.flatMap((card) => {
      const port = portOf(host, card);
      const { networkNamespace } = hosts[host.name];
      return [
        `link add ${port} type veth peer name ${card.name} address ${macOf(card.address)} netns ${networkNamespace}`,
        `link set ${port} master ${card.segment} up`,
      ];
    }),
  );
  return [...bridges, ...cables];
}

/** What `ip` prints; rejects with a LabFailure that says what it complained of. */
function ip(args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("ip", args, { stdio: ["pipe", "pipe", "pipe"] });
    let answer = "";
    let complaint = "";
    child.stdout.on("data", (chunk: Buffer) => {
      answer += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(answer);
      else reject(new LabFailure(`The wires cannot be laid: ${complaint.trim()}`));
    });
    // A command that reads nothing may have ended by now; why it ended is told by its exit code and words.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
