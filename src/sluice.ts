/** The entry point of `sluice`: above all layers, it loads a subcommand when it is asked for. */
import { readFileSync } from "node:fs";

interface Subcommand {
  readonly says: string;
  /** `main` resolves to the exit code, or to undefined when the process shall go on. */
  readonly load: () => Promise<{ main(args: readonly string[]): Promise<number | undefined> }>;
}

// biome-ignore format: a table
const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  daemon:      { says: "runs the director",                              load: () => import("./daemon/main.ts") },
  probe:       { says: "asks servers for the daemon, which starts it",   load: () => import("./health/prober/main.ts") },
  decapsulate: { says: "takes a director's tunnels apart on a real server", load: () => import("./decapsulator/main.ts") },
  check:       { says: "whether a sluice.yaml is right",                 load: () => import("./cli/configuration/check.ts") },
  plan:        { says: "what a sluice.yaml would change",                load: () => import("./cli/configuration/plan.ts") },
  apply:       { says: "puts a sluice.yaml in force, all or nothing",    load: () => import("./cli/configuration/apply.ts") },
  export:      { says: "writes what stands as a sluice.yaml",            load: () => import("./cli/configuration/export.ts") },
  import:      { says: "writes a keepalived.conf and such as a sluice.yaml",  load: () => import("./import/main.ts") },
  status:      { says: "how the daemon is, what is wrong, and what to do", load: () => import("./cli/status/main.ts") },
  top:         { says: "services and servers as they are now, on a whole screen", load: () => import("./cli/top/main.ts") },
  doctor:      { says: "what keeps services from working, on a director or a real server", load: () => import("./doctor/main.ts") },
  get:         { says: "services and their servers, as a table, YAML or JSON", load: () => import("./cli/services/get.ts") },
  describe:    { says: "all that is known of a service or a server",     load: () => import("./cli/services/describe.ts") },
  edit:        { says: "opens what stands in an editor, and puts it in force", load: () => import("./cli/services/edit.ts") },
  delete:      { says: "removes a service, or a server",                 load: () => import("./cli/services/delete.ts") },
  drain:       { says: "takes servers out of service, and shows how far it is", load: () => import("./cli/drain/main.ts") },
  undrain:     { says: "gives them new connections again",               load: () => import("./cli/undrain/main.ts") },
  connections: { says: "lists, counts and ends connections",             load: () => import("./cli/connections/main.ts") },
  history:     { says: "what was changed, by whom and when",             load: () => import("./cli/history/main.ts") },
  diff:        { says: "what is different since an earlier generation",  load: () => import("./cli/history/diff.ts") },
  rollback:    { says: "goes back to an earlier generation",             load: () => import("./cli/history/rollback.ts") },
  reasons:     { says: "where packets went, by counters with their words", load: () => import("./cli/reasons/main.ts") },
  token:       { says: "who may use the API over TCP",                   load: () => import("./cli/token/main.ts") },
  events:      { says: "what happens, as it happens",                    load: () => import("./cli/events/main.ts") },
  explain:     { says: "what would become of a packet now, and why",      load: () => import("./cli/explain/main.ts") },
  trace:       { says: "what becomes of packets, as they go by",         load: () => import("./cli/trace/main.ts") },
  replay:      { says: "how recorded traffic would have been spread",    load: () => import("./cli/replay/main.ts") },
  ui:          { says: "shows the dashboard to a browser on this host",  load: () => import("./cli/ui/main.ts") },
  engine:      { says: "what of the kernel engine runs, also without a daemon, and its end", load: () => import("./cli/engine/main.ts") },
  sysctl:      { says: "reads and sets the knobs of net.ipv4.vs",        load: () => import("./cli/sysctl/main.ts") },
  lab:         { says: "builds and drives the classic LVS laboratories", load: () => import("./lab/main.ts") },
};

const USAGE_EXIT_CODE = 2;

process.exitCode = await main(process.argv.slice(2));

async function main([name = "help", ...args]: readonly string[]): Promise<number | undefined> {
  if (Object.hasOwn(SUBCOMMANDS, name)) {
    return await (await SUBCOMMANDS[name]!.load()).main(args);
  }
  switch (name) {
    case "help":
      if (Object.hasOwn(SUBCOMMANDS, args[0] ?? "")) return main([args[0]!, "--help"]);
      process.stdout.write(help());
      return 0;
    case "--help":
    case "-h":
      process.stdout.write(help());
      return 0;
    case "version":
    case "--version":
      process.stdout.write(`sluice ${version()}\n`);
      return 0;
    default:
      process.stderr.write(`sluice: unknown command '${name}'\n${help()}`);
      return USAGE_EXIT_CODE;
  }
}

function help(): string {
  const rows = Object.entries(SUBCOMMANDS).map(
    ([name, { says }]) => `  ${name.padEnd(13)}${says}; see sluice ${name} --help\n`,
  );
  return `Usage: sluice COMMAND [arguments]

${rows.join("")}  help         this; sluice help COMMAND: a command's own
  version      sluice's version

Services are managed with a file, by sluice check, plan and apply, or with ipvsadm; both talk to the running daemon, like
sluice export, status, reasons, events and sysctl.
`;
}

function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
