import { VERSION } from "./ipvsadm/version.ts";

const [, , ...words] = process.argv;

// Scripts ask for the version first and often, so it is answered before anything else is loaded.
if (words[0] === "-v" || words[0] === "--version") {
  process.stdout.write(VERSION);
} else {
  const [{ run }, { processSurroundings }] = await Promise.all([
    import("./ipvsadm/run.ts"),
    import("./surroundings.ts"),
  ]);
  process.exitCode = await run(words, processSurroundings());
}
