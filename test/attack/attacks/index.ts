import type { Attack } from "../attack.ts";
import { CHANGES } from "./changes.ts";
import { FLOOD_ATTACKS } from "./floods.ts";
import { INTERFACES } from "./interfaces.ts";
import { REQUEST_ATTACKS } from "./requests.ts";
import { SURROUNDINGS } from "./surroundings.ts";

export const ATTACKS: readonly Attack[] = [
  ...FLOOD_ATTACKS,
  ...INTERFACES,
  ...SURROUNDINGS,
  ...CHANGES,
  ...REQUEST_ATTACKS,
];
