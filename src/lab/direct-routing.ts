/** The handbook's laboratory: LVS by direct routing. */
import type { Equipment } from "./equipment.ts";
import { experiment, type Breakage } from "./experiment.ts";
import { ALTERNATES } from "./options.ts";
import { macOf, REAL_SERVERS } from "./plan.ts";
import { HOLD_PATH } from "./real-server.ts";
import { alternate, parseAnswers, request, requestsInTurn, requestsTimeoutMs } from "./requests.ts";
