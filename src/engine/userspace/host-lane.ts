/**
 * A way back into the host's own stack, for packets that the guard took and the director then passed.
 *
 * A pair of virtual interfaces: what is sent into one end comes out of the other as received (docs/decisions/0002).
 * Made when the engine starts, because its name must be in the guard's rules; removed when it ends. One that a killed
 * daemon left behind is replaced.
 */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { type MacAddress, macBytes, parseMac } from "../../net/mac-address.ts";

const run = promisify(execFile);

/** Frames are sent into `slc-in` and come out of `slc-host`. At most 15 characters (IFNAMSIZ). */
export const LANE_INTERFACES = { sending: "slc-in", receiving: "slc-host" } as const;

/** Passed packets may be reassembled or segmented by nobody yet: as large as IP allows. */
const MTU = 65_535;

/** The host could not be given the interfaces. */
export class LaneError extends Error {
  override readonly name = "LaneError";
}

export class HostLane implements AsyncDisposable {
  /** Where frames are sent into. */
  readonly interfaceIndex: number;
  /** Where they come out: the packet ring must not hear it. */
  readonly receivingIndex: number;
  /** What frames must be addressed to. */
  readonly destination: Uint8Array;
  readonly source: Uint8Array;

  private constructor(sending: Link, receiving: Link) {
    this.interfaceIndex = sending.index;
    this.receivingIndex = receiving.index;
    this.source = macBytes(sending.mac);
    this.destination = macBytes(receiving.mac);
  }

  /** Makes the pair in the current network namespace. Throws a LaneError with ip(8)'s words. */
  static async open(): Promise<HostLane> {
    const { sending, receiving } = LANE_INTERFACES;
    await ip("link", "delete", sending).catch(() => undefined);
    await ip("link", "add", sending, "type", "veth", "peer", "name", receiving);
    try {
      for (const name of [sending, receiving]) await configure(name);
      // The strict reverse path test would refuse clients whose route is another interface: loose looks for any route.
      await set(`ipv4/conf/${receiving}/rp_filter`, "2");
      // Packets whose source is an address of the host's own may come this way, too.
      await set(`ipv4/conf/${receiving}/accept_local`, "1");
      await set(`ipv4/conf/${receiving}/forwarding`, await globalForwarding());
      return new HostLane(await link(sending), await link(receiving));
    } catch (error) {
      await ip("link", "delete", sending).catch(() => undefined);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await ip("link", "delete", LANE_INTERFACES.sending).catch(() => undefined);
  }
}

async function configure(name: string): Promise<void> {
  // No addresses and no ARP: nobody but us speaks here.
  await set(`ipv6/conf/${name}/addr_gen_mode`, "1");
  await set(`ipv6/conf/${name}/accept_ra`, "0");
  await ip("link", "set", name, "mtu", String(MTU), "arp", "off", "up");
}

interface Link {
  readonly index: number;
  readonly mac: MacAddress;
}

async function link(name: string): Promise<Link> {
  const [found] = JSON.parse(await ip("-json", "link", "show", name)) as {
    ifindex: number;
    address: string;
  }[];
  const mac = found === undefined ? undefined : parseMac(found.address);
  if (found === undefined || mac === undefined) {
    throw new LaneError(`Cannot find the interface ${name} that was just made`);
  }
  return { index: found.ifindex, mac };
}

async function ip(...words: string[]): Promise<string> {
  try {
    const path = `${process.env.PATH ?? ""}:/usr/sbin:/sbin`;
    const { stdout } = await run("ip", words, { env: { ...process.env, PATH: path } });
    return stdout;
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim();
    throw new LaneError(`ip ${words.join(" ")}: ${said || (error as Error).message}`);
  }
}

/** Interfaces of a host that forwards forward; one made later inherits `default`, which may not be what `all` is. */
async function globalForwarding(): Promise<string> {
  return (await readFile("/proc/sys/net/ipv4/ip_forward", "utf8")).trim();
}

/** A setting that the kernel does not have (no IPv6) needs no value. */
async function set(path: string, value: string): Promise<void> {
  await writeFile(`/proc/sys/net/${path}`, value).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw new LaneError(`Cannot set ${path}: ${error.message}`);
  });
}
