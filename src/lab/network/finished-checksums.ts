/**
 * What hosts on an Ethernet send has its checksum, which their cards have made. A veth is a card that makes none, so that its
 * sender has to where somebody looks at frames alone (XDP).
 */
import { LabFailure } from "../failure.ts";
import type { Hosts } from "./hosts.ts";
import type { LabPlan } from "./plan.ts";

/** The shell's code for a command that is not installed. */
const NOT_FOUND = 127;

export async function finishChecksums(plan: LabPlan, hosts: Hosts): Promise<void> {
  await Promise.all(
    plan.hosts.map(async ({ name, cards }) => {
      const lines = cards.map((card) => `ethtool -K ${card.name} tx off`);
      const { code, output } = await hosts[name].run(lines.join(" && "));
      if (code === 0) return;
      const advice =
        code === NOT_FOUND ? ": install ethtool (Debian: apt-get install ethtool)" : "";
      throw new LabFailure(
        `${name} cannot be made to finish its checksums, which XDP needs${advice}: ${output.trim()}`,
      );
    }),
  );
}
