/** What several cases of the host's firewall begin with. */

export const FIREWALL_GROUP = "host, firewall";

/** Without the answers of neighbours there is no IPv6. */
export const ICMP_PASSES = "$iptables -A INPUT -p $icmp -j ACCEPT";
export const DROPS = "$iptables -P INPUT DROP";
