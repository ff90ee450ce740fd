/**
 * What interfaces can do at XDP, which the kernel tells since 6.3: include/uapi/linux/netdev.h, over generic netlink
 * (genetlink.h).
 */
import { NETLINK_GENERIC, Netlink } from "./netlink/netlink.ts";
import { attributesIn, emitAttributes, numberIn, viewOf } from "./netlink/netlink-message.ts";
import { SystemCallError } from "./system/libc.ts";

const ATTEMPT = "ask the kernel what interfaces can do at XDP";

/** struct genlmsghdr. */
const GENERIC_LENGTH = 4;

/** GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_*. */
const CONTROL = { type: 16, getFamily: 3 } as const;
const FAMILY = { id: 1, name: 2 } as const;

/** NETDEV_CMD_DEV_GET, NETDEV_A_DEV_*. */
const GET_DEVICES = 1;
const DEVICE = { index: 1, features: 3 } as const;

/** enum netdev_xdp_act: programs run in the driver; it takes frames that others received. */
const ACT = { basic: 1, send: 4 } as const;

export interface XdpFeatures {
  readonly runs: boolean;
  readonly sends: boolean;
}

export class XdpFeatureReader implements Disposable {
  readonly #netlink = new Netlink(NETLINK_GENERIC);
  #family: number | undefined;

  /** By interface; undefined where the kernel does not tell. */
  read(): ReadonlyMap<number, XdpFeatures> | undefined {
    try {
      this.#family ??= this.#familyId();
      if (this.#family === undefined) return undefined;
      const devices = this.#netlink.listFew(this.#family, generic(GET_DEVICES), ATTEMPT);
      return new Map(devices.map(({ body }) => featuresIn(body)));
    } catch (error) {
      if (error instanceof SystemCallError) return undefined;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#netlink[Symbol.dispose]();
  }

  #familyId(): number | undefined {
    const asked = emitAttributes([[FAMILY.name, "netdev"]]);
    const question = Buffer.concat([generic(CONTROL.getFamily), asked]);
    const found = this.#netlink.get(CONTROL.type, question, ATTEMPT);
    const id = found && attributesIn(found.body, GENERIC_LENGTH).get(FAMILY.id);
    return id === undefined ? undefined : viewOf(id).getUint16(0, true);
  }
}

function generic(command: number): Uint8Array {
  return Uint8Array.of(command, 1, 0, 0);
}

function featuresIn(body: Uint8Array): readonly [number, XdpFeatures] {
  const attributes = attributesIn(body, GENERIC_LENGTH);
  // Those that are asked for lie in the lower half of 64 bits.
  const features = numberIn(attributes, DEVICE.features) ?? 0;
  const has = (act: number): boolean => (features & act) !== 0;
  return [numberIn(attributes, DEVICE.index) ?? 0, { runs: has(ACT.basic), sends: has(ACT.send) }];
}
