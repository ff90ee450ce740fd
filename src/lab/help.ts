import { ALTERNATES } from "./options.ts";

export const LAB_HELP = `Usage: sluice lab [dr|nat|tun] [options]
       sluice lab mistake NAME...|--all|--list|--quiz [NAME] [options]
       sluice lab shell HOST [COMMAND...]
       sluice lab down

Builds the classic LVS laboratory in network namespaces of its own, drives it with real requests, checks what LVS
promises, and removes everything. Works as root, and without root where the kernel grants user namespaces.

  dr     direct routing (default): client 192.168.150.1, director node01 .11, real servers node02 .12 and node03 .13,
         VIP 192.168.150.100
  nat    masquerading: the client outside in 203.0.113.0/24, node01 the real servers' gateway, VIP 203.0.113.100:80 on
         real servers' port 8080
  tun    tunnels, on dr's wire: IP in IP, GRE and GUE one after the other, taken apart by 'sluice decapsulate' on the real
         servers; the client also uploads 1 MB, whose packets have to become shorter to fit

Options:
  --tunnel NAME      tun: only ipip, gre or gue, instead of all three
  --ipv6             the same over IPv6: fd00:150::1, ::11, ::12, ::13 and VIP fd00:150::100; outside, 2001:db8::/64
  --scheduler NAME   rr (default): one of ${Object.keys(ALTERNATES).join(" ")}
  --config FILE      dr: the director is configured by this sluice.yaml and checks its servers' health; then a server and the
                     director's daemon are killed, a server loses the VIP, and a file with a mistake is refused
  --engine NAME      what the director runs: auto (default: kernel where the host can), kernel, or userspace
  --hook NAME        with the kernel engine: where its programs meet packets, tc (default) or xdp
  --requests N       how many requests the client sends, 2 to 1000 (default 10)
  --keep             leave the hosts running; then 'sluice lab shell HOST' and 'sluice lab down'
  --bare             only build the hosts, with web servers and a director without services, and leave them running: for
                     doing all else by hand, as docs/guide does
  --simulated        the same on simulated hosts, in this process alone: needs no root and no namespaces
  --seed N           of --simulated: what chance decides there, such as who of two answers first (default 1)
  --json             one JSON object for each step, {"step","says","ok","evidence"}, then {"summary":{"passed","failed"}}
  --pcap DIR         write what each host sent and received to DIR/HOST.pcapng, for Wireshark
  --help             this

mistake  makes a classic mistake in a laboratory, shows the symptom and the frames that tell why, and mends it

  --list             names all mistakes; with --json, all that is known of each
  --all              makes all of them, one after the other
  --quiz             shows the complaint alone: look around on the hosts, and say what is wrong
  --simulated        without namespaces, on hosts that are simulated: needs no rights at all, and is done in a moment
  --language NAME    en or zh (中文); otherwise as the locale has it

shell  opens a shell on client, node01, node02 or node03 of the laboratory that is kept, or runs COMMAND there
down   ends the laboratory that is kept

Exit code: 0 every statement holds, 1 one fails, 2 wrong usage, 3 the laboratory cannot be built (stderr says why).
`;
