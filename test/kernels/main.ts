/** `npm run kernels`: whether the kernel engine's programs load and run on Debian's kernels, each in a guest of its own. */
import { Qemu } from "../conformance/machines/qemu.ts";
import { loadOn } from "./load.ts";

const HELP = `npm run kernels -- [SERIES ...]
Boots Debian's kernels of these series (6.1 6.12) under QEMU's emulation, loads the committed programs of bpf/ there, has
them run at an interface, and says at which hook. Fetches kernels into ~/.cache/sluice when they are not there (90 MB
each); takes a minute or two each.
Exit code: 0 all load, 1 one does not.
`;
const TIMEOUT_MS = 600_000;

const words = process.argv.slice(2);
if (words.some((word) => !/^\d+\.\d+$/.test(word))) {
  process.stderr.write(HELP);
  process.exit(words.includes("--help") ? 0 : 2);
}
for (const series of words.length > 0 ? words : ["6.1", "6.12"]) {
  try {
    const { kernel, hook, xdp, result } = await loadOn(new Qemu(series), TIMEOUT_MS);
    process.stdout.write(
      `Linux ${kernel}: loads, runs at ${hook} and ${xdp}, passes what is nobody's (${result})\n`,
    );
  } catch (error) {
    process.exitCode = 1;
    process.stdout.write(`Linux ${series}: ${(error as Error).message}\n`);
  }
}
