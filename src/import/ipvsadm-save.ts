/** What `ipvsadm-save` wrote, a command a line, as what is wanted of a director. */

import { formatEndpointId, parseEndpointId } from "../api/ids.ts";
import { type Executable, isChanging } from "../cli/ipvsadm/execute.ts";
import { Failure } from "../cli/ipvsadm/failure.ts";
import type { Names } from "../cli/ipvsadm/naming.ts";
import { parse } from "../cli/ipvsadm/parse.ts";
import { wordsOf } from "../cli/ipvsadm/restore.ts";
import { destinationFromWire, keyFromWire, serviceFromWire } from "../control/wire.ts";
import {
  addDestination,
  addService,
  type DesiredState,
  deleteDestination,
  deleteService,
  EMPTY_STATE,
  editDestination,
  editService,
  flush,
  setTimeouts,
} from "../ipvs/desired/desired-state.ts";
import { LbError } from "../ipvs/desired/errors.ts";
import type { WantedState } from "../ipvs/desired/wanted.ts";

export interface Imported {
  readonly wanted: WantedState;
  /** What the file cannot have: its line, from 1, and why. */
  readonly dropped: readonly {
    readonly line: number;
    readonly text: string;
    readonly why: string;
  }[];
}

export async function importIpvsadmSave(text: string, names: Names): Promise<Imported> {
  const dropped: { line: number; text: string; why: string }[] = [];
  let state = EMPTY_STATE;
  for (const [index, line] of text.split("\n").entries()) {
    const words = wordsOf(line);
    if (words.length === 0 || words[0]!.startsWith("#")) continue;
    try {
      state = step(state, (await parse(words, names)) as Executable);
    } catch (error) {
      if (!(error instanceof Failure || error instanceof LbError)) throw error;
      const [why] = error.message.split("\n");
      dropped.push({ line: index + 1, text: words.join(" "), why: why! });
    }
  }
  return { wanted: wantedOf(state), dropped };
}

/** The state after the command, as the daemon would have it. */
function step(state: DesiredState, command: Executable): DesiredState {
  if (!isChanging(command)) throw new Failure("it changes nothing", 1, { isFinal: false });
  switch (command.kind) {
    case "add-service":
      return addService(state, serviceFromWire(command.service));
    case "edit-service":
      return editService(state, serviceFromWire(command.service));
    case "delete-service":
      return deleteService(state, keyFromWire(command.service));
    case "flush":
      return flush(state);
    case "add-server":
      return addDestination(
        state,
        keyFromWire(command.service),
        destinationFromWire(command.destination),
      );
    case "edit-server":
      return editDestination(
        state,
        keyFromWire(command.service),
        destinationFromWire(command.destination),
      );
    case "delete-server": {
      const at = parseEndpointId(formatEndpointId(command.destination))!;
      return deleteDestination(state, keyFromWire(command.service), at);
    }
    case "set":
      return setTimeouts(state, command.timeouts);
    case "zero":
      throw new Failure("counters are no matter of a file", 1, { isFinal: false });
  }
}

function wantedOf({ services, timeouts }: DesiredState): WantedState {
  return {
    services: [...services.values()].map(({ destinations, ...spec }) => ({ spec, destinations })),
    timeouts: timeouts === EMPTY_STATE.timeouts ? {} : timeouts,
    sysctls: {},
    keepsOthers: false,
  };
}
