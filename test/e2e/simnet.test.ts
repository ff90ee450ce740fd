/** Simulated hosts against the kernel's: who answers which question of ARP, and which pings. */
import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { answerSimulated } from "../simnet/simulated.ts";
import { type Answers, type Topology, topologyOf } from "../simnet/topology.ts";

/** `SIMNET_SEEDS=100-400`: those, instead of the few that every run takes. */
const [first = 1, last = 7] = (process.env.SIMNET_SEEDS ?? "1-7").split("-").map(Number);
const SEEDS = Array.from({ length: last - first + 1 }, (_, index) => first + index);
/** An answer that comes too late on a busy machine is none: what differs is asked again. */
const ATTEMPTS = 3;

test("simulated hosts answer as the kernel's do", async () => {
  let left = SEEDS;
  let differences: string[] = [];
  for (let attempt = 0; left.length > 0 && attempt < ATTEMPTS; attempt++) {
    const topologies = left.map(topologyOf);
    const kernels = await onNamespaces(topologies);
    const found = await Promise.all(
      topologies.map(async (topology, index) =>
        differencesOf(topology, kernels[index]!, await answerSimulated(topology)).map(
          (each) => `seed ${left[index]}: ${each}`,
        ),
      ),
    );
    differences = found.flat();
    left = left.filter((_, index) => found[index]!.length > 0);
  }
  expect(differences).toEqual([]);
}, 3_600_000);

function differencesOf(
  { hosts, questions, pings }: Topology,
  kernels: Answers,
  ours: Answers,
): string[] {
  const typed = hosts
    .flatMap(({ name, lines }) => lines.map((line) => `${name}: ${line}`))
    .flatMap((line, index) =>
      kernels.done[index] === ours.done[index]
        ? []
        : [`${line}: the kernel ${kernels.done[index]}, simulated ${ours.done[index]}`],
    );
  const asked = questions.flatMap(({ card, sender, target }, index) => {
    const [theirs, own] = [kernels.answers[index]!.join(), ours.answers[index]!.join()];
    return theirs === own
      ? []
      : [
          `${card}: who has ${target} tell ${sender}: the kernel ${theirs || "nobody"}, simulated ${own || "nobody"}`,
        ];
  });
  const pinged = pings.flatMap(({ host, target }, index) =>
    kernels.reached[index] === ours.reached[index]
      ? []
      : [
          `${host} pings ${target}: the kernel ${kernels.reached[index]}, simulated ${ours.reached[index]}`,
        ],
  );
  return [...typed, ...asked, ...pinged];
}

/** In a network namespace and process namespace of their own: whatever happens, nothing stays. */
function onNamespaces(topologies: readonly Topology[]): Promise<readonly Answers[]> {
  const words = [
    "--net",
    "--pid",
    "--mount-proc",
    "--fork",
    "--kill-child",
    "--",
    "python3",
    "test/simnet/namespaces.py",
  ];
  const child = spawn("unshare", words, { stdio: ["pipe", "pipe", "pipe"] });
  const { promise, resolve, reject } = Promise.withResolvers<readonly Answers[]>();
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
    if (code === 0) resolve(JSON.parse(answer) as readonly Answers[]);
    else reject(new Error(`The namespaces end with ${code}: ${complaint}`));
  });
  child.stdin.end(JSON.stringify(topologies));
  return promise;
}
