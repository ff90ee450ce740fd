/** ipvsadm-save [-n]: prints the table as ipvsadm-restore reads it. */
import { run } from "./ipvsadm/run.ts";
import { processSurroundings } from "./surroundings.ts";

const HELP = `ipvsadm-save: Script to save the IPVS table to stdout.
   With the -n option, prints out the table in numeric format.
`;

const words = process.argv.slice(2);
const isNumeric = words.includes("-n");

if (words.some((word) => word.startsWith("-") && word !== "-n")) {
  process.stderr.write(HELP);
  process.exitCode = 1;
} else {
  process.exitCode = await run(isNumeric ? ["-S", "-n"] : ["-S"], processSurroundings());
}
