/**
 * How Sluice sends IP packets, for tests: runs inside of a network namespace.
 *
 * Each line of its standard input is answered by a line of JSON:
 *     forward PACKET                 (hexadecimal) goes as the director forwards: by the host's routes and neighbours
 *     finish PACKET                  as forward, but its checksum is left to the kernel
 *     tun NAME                       packets that left by this device, without a header, since the last time; makes it
 *     own PACKET MARK                goes as the host's own
 *     learn ipip gre ...             the host learns what routers say of these tunnels' paths
 *     route DESTINATION              the MTU of the way there
 *     undeliverable                  packets that had nobody to go to, since the last time
 *     reasons                        what was lost, by reason
 */
import { createInterface } from "node:readline";
import type { Instant } from "../../src/base/clock.ts";
import { HostNetwork } from "../../src/engine/host/host-network.ts";
import { PathMtuLearner } from "../../src/engine/userspace/path-mtu-learner.ts";
import { noOffload, type Offload } from "../../src/engine/userspace/ring/virtio-net-header.ts";
import { FrameSender } from "../../src/engine/userspace/sending/frame-sender.ts";
import { HostSender } from "../../src/engine/userspace/sending/host-sender.ts";
import { Transmitter } from "../../src/engine/userspace/sending/transmitter.ts";
import { Address } from "../../src/net/address.ts";
import { NetworkDevice } from "../conformance/ours/network-device.ts";

/** Where it lies in an Ethernet frame with an IPv4 datagram. */
const UDP_CHECKSUM: Offload = {
  ...noOffload(),
  needsChecksum: true,
  checksumStart: 14 + 20,
  checksumOffset: 6,
};

let tun: NetworkDevice | undefined;
const undeliverable: string[] = [];
const network = await HostNetwork.open({
  onChange: () => sender.forget(),
  onNeighbour: (news) => {
    sender.neighbourChanged(news);
    sender.flush();
  },
  onError: (error) => process.stderr.write(`${String(error)}\n`),
});
const transmitter = new Transmitter();
const sender = new FrameSender(transmitter, network, {
  clock: { now: () => performance.now() as Instant },
  undeliverable: (packet) => undeliverable.push(Buffer.from(packet).toString("hex")),
});
const hostSender = new HostSender();
const learner = new PathMtuLearner((error) => process.stderr.write(`${String(error)}\n`));
say("ready");
for await (const line of createInterface({ input: process.stdin })) say(answer(line.split(" ")));
process.exit(0);

function answer([verb, ...rest]: string[]): unknown {
  switch (verb) {
    case "forward":
      return forward(Buffer.from(rest[0] ?? "", "hex"), noOffload());
    case "finish":
      return forward(Buffer.from(rest[0] ?? "", "hex"), UDP_CHECKSUM);
    case "tun":
      tun ??= new NetworkDevice(rest[0] ?? "", "tun");
      return tun.received().map((packet) => Buffer.from(packet).toString("hex"));
    case "own":
      hostSender.enqueue(Buffer.from(rest[0] ?? "", "hex"), Number(rest[1]));
      hostSender.flush();
      return hostSender.statistics().failed;
    case "learn":
      learner.learnOf(rest as ("ipip" | "gre" | "gue")[]);
      return "learning";
    case "route": {
      const route = network.route(Address.parse(rest[0] ?? "")!);
      return typeof route === "string" ? route : route.mtu;
    }
    case "undeliverable":
      return undeliverable.splice(0);
    case "reasons":
      return { ...sender.reasons(), ...transmitter.statistics().failed };
    default:
      throw new RangeError(`'${verb}' is nothing that can be asked`);
  }
}

function forward(packet: Uint8Array, offload: Offload): string {
  const family = packet[0]! >>> 4 === 6 ? "inet6" : "inet";
  const destination = Address.fromBytes(packet, family === "inet6" ? 24 : 16, family);
  const route = network.route(destination);
  if (typeof route === "string") return route;
  sender.sendCopy(packet, route, offload);
  sender.flush();
  return "sent";
}

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
