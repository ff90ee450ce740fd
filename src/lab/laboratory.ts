/**
 * A laboratory that commands can be typed into, on network namespaces or simulated: what mistakes and lessons are told
 * over.
 *
 * When it is opened its hosts have their cards and addresses, node01 a director without services, node02 and node03 a web
 * server each, at all of their addresses. What a learner types comes after that, by lines of a shell as they would type
 * them: `ip`, `ifconfig`, `route`, `sysctl`, `arping`, `ping`, `ss`, `nstat`, `tcpdump`, `curl`, `nft`, `ipvsadm`,
 * `sluice`. On a real server `httpd -k stop` ends the web server, and `httpd -k start -c "Listen 192.168.150.12:80"`
 * begins another, which listens at that address alone (Apache's own words). In the laboratory with tunnels what comes out of them on
 * a real server comes out of tunl0.
 */

export interface Laboratory {
  /** client, node01 (director), node02, node03 (real servers): the handbook's names. */
  readonly hosts: readonly string[];
  /**
   * Runs one line of a shell on a host. Both outputs as a terminal shows them. Never rejects for what the command does.
   * A line that listens (`timeout 5 tcpdump -nne -c 2 -i eth0 arp`) may run while others are typed: each call begins at once.
   */
  run(host: string, line: string): Promise<{ readonly status: number; readonly output: string }>;
  /** How long it takes until a line that listens does, in milliseconds; undefined: nobody knows. */
  readonly listensAfterMs?: number;
  close(): Promise<void>;
}
