import { scenarios } from "../scenario.ts";

/** ICMP errors about packets that the director passed on (ip_vs_in_icmp(), ip_vs_out_icmp()). */
export const ICMP = scenarios(`
# NAT: an error about a reply goes to the server, which sees its own packet quoted
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
C:1000 > V:80 S => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
X > V unreachable-host about V:80 > C:1000 .            => forward-icmp-request R1 X > R1 unreachable-host ttl 63 about R1:8080 > C:1000 .
X > V time-exceeded about V:80 > C:1000 . ttl 1         => forward-icmp-request R1 X > R1 time-exceeded ttl 63 about R1:8080 > C:1000 . ttl 1
C > V unreachable-port about V:80 > C:1000 R.           => forward-icmp-request R1 C > R1 unreachable-port ttl 63 about R1:8080 > C:1000 R.
X > V too-big mtu 1400 about V:80 > C:1000 . len 1500   => forward-icmp-request R1 X > R1 too-big mtu 1400 ttl 63 about R1:8080 > C:1000 . len 1500

# DR: an error about a reply goes to the server as it is
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
C:1000 > V:80 S   => forward-route R1 [SYN_RECV 60 1/0]
X > V too-big mtu 1400 about V:80 > C:1000 . len 1500 => forward-icmp-request R1 X > V too-big mtu 1400 ttl 63 about V:80 > C:1000 . len 1500

# TUN: an error about a reply goes to the server as it is [inet]
-A -u V:53 -s rr
-a -u V:53 -r R2 -i
C:1000 > V:53 udp => forward-tunnel R2 in D > R2 ipip [UDP 300 0/1]
C > V unreachable-port about V:53 > C:1000 udp => forward-icmp-request R2 in D > R2 ipip tos 192 C > V unreachable-port ttl 63 about V:53 > C:1000 udp

# NAT: an error about a request goes to the client as if from the VIP, which sees its own packet quoted
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
C:1000 > V:80 S => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
R1 > C unreachable-port about C:1000 > R1:8080 S ttl 63     => forward-icmp-reply C V > C unreachable-port ttl 63 about C:1000 > V:80 S ttl 63
Y > C time-exceeded about C:1000 > R1:8080 S ttl 1          => forward-icmp-reply C V > C time-exceeded ttl 63 about C:1000 > V:80 S ttl 1
Y > C too-big mtu 1400 about C:1000 > R1:8080 . len 1500    => forward-icmp-reply C V > C too-big mtu 1400 ttl 63 about C:1000 > V:80 . len 1500
Y > C unreachable-host ttl 1 about C:1000 > R1:8080 . len 1500 => drop-time-exceeded
host forwarding off
R1 > C unreachable-port about C:1000 > R1:8080 S            => pass-not-forwarding

# errors count as traffic of their connections, which they do not renew [inet]
-A -u V:53 -s rr
-a -u V:53 -r R1 -m
C:1000 > V:53 udp => forward-masquerade R1 to R1:53 [UDP 300 0/1]
+100
R1 > C unreachable-port about C:1000 > R1:53 udp => forward-icmp-reply C V > C unreachable-port ttl 63 about C:1000 > V:53 udp
C > V unreachable-port about V:53 > C:1000 udp   => forward-icmp-request R1 C > R1 unreachable-port ttl 63 about R1:53 > C:1000 udp
+2
-L --stats
| UDP V:53 1 in 2/84 out 1/56
| -> R1:53 1 in 2/84 out 1/56
-Lc
| UDP 198 UDP C:1000 V:53 R1:53
-A -u V:54 -s rr
-a -u V:54 -r R1 -g
C:1000 > V:54 udp                              => forward-route R1 [UDP 300 0/1]
R1 > C unreachable-port about C:1000 > V:54 udp => pass-reply
-A -u V:55 -s rr
-a -u V:55 -r R2 -i
C:1000 > V:55 udp => forward-tunnel R2 in D > R2 ipip [UDP 300 0/1]
Y > D unreachable-host about D > R2 in ipip C:1000 > V:55 udp => forward-icmp-reply; V > C unreachable-host about C:1000 > V:55 udp
+2
-L --stats
| UDP V:53 1 in 2/84 out 1/56
| -> R1:53 1 in 2/84 out 1/56
| UDP V:54 1 in 1/28 out 1/56
| -> R1:54 1 in 1/28 out 1/56
| UDP V:55 1 in 1/28 out 2/84
| -> R2:55 1 in 1/28 out 2/84

# DR: an error about a request that passes the director on its way to the client is let through
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
C:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
R1 > C unreachable-port about C:1000 > V:80 S => pass-reply

# NAT for the director itself as client [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
E:1000 > V:80 S => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
R1 > E unreachable-port about E:1000 > R1:8080 S => pass-local-destination V > E unreachable-port about E:1000 > V:80 S

# NAT for a mark's addresses, which need not be the host's
-A -f 7 -s rr
-a -f 7 -r R1:0 -m
C:1000 > V:80 S mark 7 => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
host disown V
X > V unreachable-host about V:80 > C:1000 . => forward-icmp-request R1 X > R1 unreachable-host ttl 62 about R1:80 > C:1000 .
host forwarding off
X > V unreachable-host about V:80 > C:1000 . => pass-not-local

# errors with a wrong checksum are dropped
-A -t V:80 -s rr
-a -t V:80 -r R1 -m
C:1000 > V:80 S => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
X > V unreachable-host badcsum about V:80 > C:1000 .   => drop-bad-checksum
R1 > C unreachable-port badcsum about C:1000 > R1:80 . => drop-bad-checksum

# errors about what nobody sent, and other messages, are the host's
-A -t V:80 -s rr
-a -t V:80 -r R1 -m
X > V unreachable-host about V:80 > C:1000 .   => pass-icmp-unrelated
X > V unreachable-host about V:80 > C:1000 udp => pass-icmp-unrelated
X > V unreachable-host about V > C esp         => pass-icmp-unrelated
X > V unreachable-host about V > C echo-reply  => pass-icmp-unrelated
C > V echo                                     => pass-not-balanced
C > V echo-reply                               => pass-not-balanced

# of IPv4 only the kinds that the kernel handles are relayed, of IPv6 all errors [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
C:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
X > V source-quench about V:80 > C:1000 .     => forward-icmp-request R1 X > V source-quench ttl 63 about V:80 > C:1000 .
X > V parameter-problem about V:80 > C:1000 . => pass-not-balanced

# of IPv4 only the kinds that the kernel handles are relayed, of IPv6 all errors [inet6]
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
C:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
X > V parameter-problem about V:80 > C:1000 . => forward-icmp-request R1 X > V parameter-problem ttl 63 about V:80 > C:1000 .

# nobody is told at an address that is not one host's [inet]
-A -t V:80
224.0.0.1:1000 > V:80 S  => pass-martian-source
127.0.0.1:1000 > V:80 S  => drop-no-destination

# nobody is told at an address that is not one host's [inet6]
-A -t V:80
[ff02::1]:1000 > V:80 S  => pass-martian-source
[::1]:1000 > V:80 S      => drop-no-destination

# nobody is told about what happened to an error
-A -t V:80 -s rr
-a -t V:80 -r R1 -m
C:1000 > V:80 S => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
X > V unreachable-host ttl 1 about V:80 > C:1000 . => drop-time-exceeded
host lose R1
X > V unreachable-host about V:80 > C:1000 .       => drop-unreachable

# errors about our own tunnel packets are told to the client about its own [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1 -i
C:1000 > V:80 S df => forward-tunnel R1 in D > R1 ipip df [SYN_RECV 60 1/0]
Y > D unreachable-host about D > R1 in ipip C:1000 > V:80 S df         => forward-icmp-reply; V > C unreachable-host about C:1000 > V:80 S df
Y > D time-exceeded about D > R1 in ipip C:1000 > V:80 S df            => forward-icmp-reply; V > C time-exceeded about C:1000 > V:80 S df
Y > D unreachable-host badcsum about D > R1 in ipip C:1000 > V:80 S df => drop-bad-checksum
Y > D unreachable-host about D > R2 in ipip C:1000 > V:80 S df         => pass-icmp-unrelated      -- no tunnel of ours
Y > D unreachable-host about D > R1 in gre C:1000 > V:80 S df          => pass-icmp-unrelated
Y > D unreachable-host about D > R1 in ipip C:1001 > V:80 S df         => pass-icmp-unrelated      -- no connection
Y > C unreachable-host about D > R1 in ipip C:1000 > V:80 S df         => pass-icmp-unrelated      -- not to us

# the path MTU is learnt from an error about a tunnel packet, for ten minutes [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1 -i
C:1000 > V:80 S df            => forward-tunnel R1 in D > R1 ipip df [SYN_RECV 60 1/0]
C:1000 > V:80 . len 1480 df   => forward-tunnel R1 in D > R1 ipip df [ESTABLISHED 900 1/0]
Y > D too-big mtu 1400 about D > R1 in ipip C:1000 > V:80 . len 1480 df => forward-icmp-reply; V > C too-big mtu 1380 about C:1000 > V:80 . len 1480 df
C:1000 > V:80 . len 1380 df   => forward-tunnel R1 in D > R1 ipip df [ESTABLISHED 900 1/0]
C:1000 > V:80 . len 1381 df   => drop-packet-too-big [ESTABLISHED 900 1/0]; V > C too-big mtu 1380 about C:1000 > V:80 . len 1381 ttl 63 df
C:1000 > V:80 . len 1400      => forward-tunnel R1 in D > R1 ipip parts 1396 44 [ESTABLISHED 900 1/0]
Y > D too-big mtu 1450 about D > R1 in ipip C:1000 > V:80 . len 1480 df => forward-icmp-reply; V > C too-big mtu 1380 about C:1000 > V:80 . len 1480 df
Y > D too-big mtu 1300 about D > R1 in ipip C:1000 > V:80 . len 1480    => drop-path-mtu-learnt
C:1000 > V:80 . len 1281 df   => drop-packet-too-big [ESTABLISHED 900 1/0]; V > C too-big mtu 1280 about C:1000 > V:80 . len 1281 ttl 63 df
Y > D too-big mtu 70 about D > R1 in ipip C:1000 > V:80 . len 1480 df   => forward-icmp-reply; V > C too-big mtu 532 about C:1000 > V:80 . len 1480 df
+590
C:1000 > V:80 . len 532 df    => forward-tunnel R1 in D > R1 ipip df [ESTABLISHED 900 1/0]
C:1000 > V:80 . len 1480 df   => drop-packet-too-big [ESTABLISHED 900 1/0]; V > C too-big mtu 532 about C:1000 > V:80 . len 1480 ttl 63 df
+11
C:1000 > V:80 . len 1480 df   => forward-tunnel R1 in D > R1 ipip df [ESTABLISHED 900 1/0]

# errors about GRE and GUE tunnel packets [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1 -i --tun-type gre
-A -t V:81 -s rr
-a -t V:81 -r R1 -i --tun-type gue --tun-port 6080
C:1000 > V:80 S df => forward-tunnel R1 in D > R1 gre df [SYN_RECV 60 1/0]
C:1000 > V:81 S df => forward-tunnel R1 in D > R1 gue df [SYN_RECV 60 1/0]
Y > D too-big mtu 1400 about D > R1 in gre C:1000 > V:80 . len 1476 df      => forward-icmp-reply; V > C too-big mtu 1376 about C:1000 > V:80 . len 1476 df
Y > D too-big mtu 1400 about D > R1 in gue:6080 C:1000 > V:81 . len 1468 df => forward-icmp-reply; V > C too-big mtu 1368 about C:1000 > V:81 . len 1468 df
Y > D too-big mtu 1400 about D > R1 in gue:6081 C:1000 > V:81 . len 1468 df => pass-icmp-unrelated

# schedule_icmp: an error of no connection goes where the client's packets will go [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1 -m
-a -t V:80 -r R2 -g
X > V too-big mtu 1400 about V:80 > C:1000 . len 1500 df => pass-icmp-unrelated
sysctl schedule_icmp=1
X > V too-big mtu 1400 about V:80 > C:1000 . len 1500 df => forward-icmp-request R2 X > V too-big mtu 1400 ttl 63 about V:80 > C:1000 . len 1500 df
C:1000 > V:80 . => forward-route R2 [ESTABLISHED 900 1/0]
X > V too-big mtu 1400 about V:80 > C:1001 . len 1500 df => forward-icmp-request R1 X > R1 too-big mtu 1400 ttl 63 about R1:80 > C:1001 . len 1500 df
-Lc
| TCP 3 NONE C:1001 V:80 R1:80
| TCP 900 ESTABLISHED C:1000 V:80 R2:80
X > V too-big mtu 1400 about V:81 > C:1000 . len 1500 df => pass-icmp-unrelated
X > V too-big mtu 1400 about V:80 > C:20 . len 1500 df   => pass-source-port-20
-d -t V:80 -r R1
-d -t V:80 -r R2
X > V too-big mtu 1400 about V:80 > C:1002 . len 1500 df => drop-no-destination
`);
