/**
 * ipvsadm-restore: empties the table, then runs the commands on stdin but for lines that begin with `#`.
 *
 * As with the original, there are no services between the two: `ipvsadm -R` alone adds to what is there.
 */
import { run } from "./ipvsadm/run.ts";
import { processSurroundings } from "./surroundings.ts";

const around = processSurroundings();
let text = "";
process.stdin.setEncoding("utf8");
for await (const chunk of process.stdin) text += chunk;
const rules = text.split("\n").filter((line) => !line.startsWith("#"));

await run(["-C"], around);
process.exitCode = await run(["-R"], {
  ...around,
  stdin: (async function* () {
    yield rules.join("\n");
  })(),
});
