/** The laboratories' scripts, by name. */
import type { Equipment } from "../network/equipment.ts";
import type { ScenarioName } from "../network/plan.ts";
import { directRouting } from "./direct-routing.ts";
import { masquerading } from "./masquerading.ts";
import type { Step } from "./scenario.ts";
import { tunnelling } from "./tunnelling.ts";

export const SCENARIOS: Readonly<Record<ScenarioName, (equipment: Equipment) => readonly Step[]>> =
  {
    dr: directRouting,
    nat: masquerading,
    tun: tunnelling,
  };
