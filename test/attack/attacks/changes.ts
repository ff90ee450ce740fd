/** No attack but an operator at work: requests go on while services change. */
import type { Attack } from "../attack.ts";
import { manyKey, manyServer, SERVERS_OF_MANY } from "../stage.ts";

const SERVICES = 1_000;
const CHANGES_MADE = 200;

export const CHANGES: readonly Attack[] = [
  {
    name: "changes",
    title: `${CHANGES_MADE} changes, one by one, at ${SERVICES} services with ${SERVERS_OF_MANY} servers each`,
    mayFail: 0.01,
    stage: { services: SERVICES },
    async carryOut(stage) {
      await stage.restore(
        Array.from({ length: CHANGES_MADE }, (_, change) => {
          const server = manyServer(change % SERVERS_OF_MANY);
          return `-e ${manyKey((change * 7) % SERVICES)} ${server} -m -w ${2 + (change % 5)}`;
        }),
      );
      return `${CHANGES_MADE} changes`;
    },
  },
];
