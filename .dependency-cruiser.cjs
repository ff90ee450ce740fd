/**
 * The architecture as rules: a layer imports only from itself and from those before it.
 * ARCHITECTURE.md draws the same order.
 */
const LAYERS = [
  "base",
  "net",
  "ipvs",
  "simnet",
  "engine",
  "health",
  "control",
  "configuration",
  "api",
  "cli",
  "doctor",
  "import",
  "daemon",
  "decapsulator",
  "lab",
];

const direction = LAYERS.slice(0, -1).map((layer, index) => ({
  name: `${layer}-imports-downward`,
  comment: `src/${layer} may not know ${LAYERS.slice(index + 1).join(", ")}: they stand on it, not it on them.`,
  severity: "error",
  from: { path: `^src/${layer}/`, pathNot: "\\.(test|contract)\\.ts$" },
  to: { path: `^src/(${LAYERS.slice(index + 1).join("|")})/` },
}));

module.exports = {
  forbidden: [
    ...direction,
    {
      name: "nobody-imports-the-entry-point",
      comment:
        "src/sluice.ts stands above all layers and loads a subcommand's layer when it is asked for.",
      severity: "error",
      from: { path: "^src/.+/" },
      to: { path: "^src/[^/]+\\.ts$" },
    },
    {
      name: "ipvs-is-pure",
      comment:
        "What a load balancer means has no I/O, so that it also runs in a browser and replays from a seed.",
      severity: "error",
      from: { path: "^src/(base|net|ipvs|simnet)/", pathNot: "\\.(test|contract)\\.ts$" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "the-simulated-laboratory-is-pure",
      comment: "It runs in a browser as it does here: nothing that it reaches may need Node.",
      severity: "error",
      from: { path: "^src/lab/simulated/", pathNot: "\\.test\\.ts$" },
      to: {
        path: "^(node:)?(child_process|crypto|dns|events|fs|http|module|net|os|path|stream|timers|url|util)(/|$)",
        reachable: true,
      },
    },
    {
      name: "the-host-knows-no-engine",
      comment: "Both engines ask the host: what it tells may not depend on which of them asks.",
      severity: "error",
      from: { path: "^src/engine/host/", pathNot: "\\.(test|contract)\\.ts$" },
      to: { path: "^src/engine/(userspace|kernel)/" },
    },
    {
      name: "native-code-has-one-door",
      comment:
        "koffi is called in the engine alone: everything else can be read without knowing the C ABI.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/engine/(host|userspace|kernel)/" },
      to: { path: "node_modules/koffi" },
    },
    {
      name: "pages-run-in-a-browser",
      comment:
        "Of src/ the pages use what a browser runs: what LVS means, the simulation, and how the API is spoken to.",
      severity: "error",
      from: { path: "^web/source/", pathNot: "\\.test\\.ts$" },
      to: {
        path: "^src/",
        pathNot:
          "^src/(base|net|ipvs|simnet|lab/(mistakes|simulated)/|lab/network/plan\\.ts|engine/reason-words\\.ts|api/(ids|lines|messages|routes)\\.ts|control/(wire|wanted-wire)\\.ts)",
      },
    },
    {
      name: "pages-stay-pages",
      comment: "What a director runs knows of no page: it serves files.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^web/|node_modules/(preact|uplot|vite)/" },
    },
    {
      name: "a-full-screen-has-one-door",
      comment: "ink and react are known to what draws sluice top, and loaded with nothing else.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/cli/top/screen\\.ts$" },
      to: { path: "node_modules/(ink|react)/" },
    },
    {
      name: "ipvsadm-starts-fast",
      comment:
        "ipvsadm runs in shell loops: what the daemon needs (Hono, zod, yaml, pino) would double its start.",
      severity: "error",
      from: { path: "^src/cli/ipvsadm" },
      to: { path: "node_modules/(hono|@hono|zod|yaml|pino|koffi)/", reachable: true },
    },
    {
      name: "no-cycles",
      comment: "A cycle means two files are one idea cut in the wrong place.",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "tests-stay-tests",
      comment: "Shipped code must not lean on what only tests have.",
      severity: "error",
      from: { path: "^src/", pathNot: "\\.(test|contract)\\.ts$" },
      to: { path: "^(test|bench)/|\\.(test|contract)\\.ts$" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
