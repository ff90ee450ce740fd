/** `nft list ruleset`, of the rules that keep a tunnel's packets from the host that takes them apart itself. */
import { immediate, type Program } from "../shell/program.ts";

export const nft: Program = immediate((words, { host, out, err }) => {
  if (words[0] !== "list") {
    err.write(`Error: syntax error, unexpected string\n${words.join(" ")}\n^^^^\n`);
    return 1;
  }
  const end = host.interfaces.find(({ tunnel }) => tunnel?.silencesHost === true);
  if (end === undefined) return 0;
  const [gue] = [...host.udp.sockets].filter(({ program }) => program === "gue");
  out.write(
    "table inet sluice_decapsulator {\n\tchain input {\n\t\ttype filter hook input priority -300; policy accept;\n",
  );
  out.write("\t\tmeta l4proto { ipencap, ipv6, gre } drop\n");
  out.write(`\t\tudp dport ${gue?.port ?? 0} drop\n\t}\n}\n`);
  return 0;
});
