/**
 * One engine, and one decapsulator, a network namespace: two would take each other's packets and interfaces.
 *
 * The claim is an empty netfilter table that the claimant owns: nobody makes one but who may administer the network
 * namespace, only one can have it, and the kernel removes it when its owner ends, whatever ends that. The table's comment
 * tells people whose it is.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  NETFILTER_FAMILY,
  NetfilterSocket,
  NFT,
  netfilterCommand,
  netfilterNumber,
  TABLE,
  TABLE_OWNED,
} from "./netlink/netfilter-socket.ts";
import { attributesIn, FLAG } from "./netlink/netlink-message.ts";
import { SystemCallError } from "./system/libc.ts";

// biome-ignore format: a table
const ROLES = {
  engine:       { table: "sluice_engine",       attempt: "move packets" },
  decapsulator: { table: "sluice_untunnelling", attempt: "take tunnel packets apart" },
} as const;

type Role = keyof typeof ROLES;

/** A process that was killed has its table until the last of its threads has ended. */
const REMAINS_MS = 2_000;
const RETRY_MS = 20;

/** A comment as nft(8) has it in a table's user data: type, length, a text with its zero. */
const COMMENT = 0;

/** Another one runs in this network namespace. */
export class NamespaceTakenError extends Error {
  override readonly name = "NamespaceTakenError";
  /** The other's process, as it names itself in its own PID namespace. */
  readonly pid: number | undefined;

  constructor(message: string, pid: number | undefined) {
    super(message);
    this.pid = pid;
  }
}

/**
 * Claims the current network namespace until it is disposed. Rejects with a NamespaceTakenError when somebody else has it,
 * with a SystemCallError when the kernel does not let us claim anything.
 */
export async function claimNamespace(role: Role = "engine"): Promise<Disposable> {
  const { attempt } = ROLES[role];
  using stack = new DisposableStack();
  const socket = stack.use(new NetfilterSocket(`${attempt} (it needs CAP_NET_ADMIN)`));
  const until = performance.now() + REMAINS_MS;
  while (!claim(socket, role)) {
    const holder = holderOf(socket, role);
    if (holder !== undefined && (isAlive(holder.pid) || performance.now() > until)) {
      throw taken(role, holder);
    }
    await sleep(RETRY_MS);
  }
  return stack.move();
}

interface Holder {
  readonly pid: number | undefined;
}

/** False when somebody has it. */
function claim(socket: NetfilterSocket, role: Role): boolean {
  const table = netfilterCommand(
    NFT.newTable,
    FLAG.create | FLAG.exclusive,
    NETFILTER_FAMILY.ipv4,
    [
      [TABLE.name, ROLES[role].table],
      [TABLE.flags, netfilterNumber(TABLE_OWNED)],
      [TABLE.userData, comment(`process ${process.pid}`)],
    ],
  );
  try {
    socket.batch([table]);
    return true;
  } catch (error) {
    // EPERM: of another owner's table, nft_table_lookup(); or of nothing that we may do here, as looking at it tells.
    if (isRefusal(error, "EEXIST", "EPERM")) return false;
    throw error;
  }
}

/** Undefined when nobody has it any more. Throws a SystemCallError when the kernel does not let us know. */
function holderOf(socket: NetfilterSocket, role: Role): Holder | undefined {
  try {
    const found = socket.get(
      netfilterCommand(NFT.getTable, 0, NETFILTER_FAMILY.ipv4, [[TABLE.name, ROLES[role].table]]),
    );
    if (found === undefined) return undefined;
    const data = attributesIn(found).get(TABLE.userData);
    const pid = /process (\d+)/.exec(Buffer.from(data ?? []).toString("latin1"))?.[1];
    return { pid: pid === undefined ? undefined : Number(pid) };
  } catch (error) {
    if (isRefusal(error, "ENOENT")) return undefined;
    throw error;
  }
}

function taken(role: Role, { pid }: Holder): NamespaceTakenError {
  const { table, attempt } = ROLES[role];
  const who = pid === undefined ? "" : ` (process ${pid})`;
  return new NamespaceTakenError(
    `Cannot ${attempt} here: another Sluice${who} does already, in this network namespace; end it first (it holds the netfilter table "ip ${table}")`,
    pid,
  );
}

/** False also of a process of another PID namespace. */
function isAlive(pid: number | undefined): boolean {
  if (pid === undefined || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function isRefusal(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof SystemCallError && codes.includes(error.code);
}

function comment(text: string): Uint8Array {
  const value = Buffer.from(`${text}\0`);
  return Uint8Array.of(COMMENT, value.length, ...value);
}
