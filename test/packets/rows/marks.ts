import { scenarios } from "../scenario.ts";

/** Services of firewall marks, which netfilter gives; a routing rule brings the packets of some to the host. */
export const MARKS = scenarios(`
# ports and protocols of one mark are one service
-A -f 7 -s rr
-a -f 7 -r R1:0 -g
-a -f 7 -r R2:0 -g
C:1000 > V:80 S mark 7 => forward-route R2 [SYN_RECV 60 1/0]
C:1001 > V:443 S mark 7 => forward-route R1 [SYN_RECV 60 1/0]
C:1002 > V:53 udp mark 7 => forward-route R2 [UDP 300 1/1]
C:1003 > V:80 S => pass-no-service
C:1004 > V:80 S mark 8 => pass-no-service

# persistence: everything of a mark sticks together [inet]
-A -f 7 -s rr -p 60
-a -f 7 -r R1:0 -m
-a -f 7 -r R2:0 -m
C:1000 > V:80 S mark 7 => forward-masquerade R2 to R2:80 [SYN_RECV 60 1/0]
C:1000 > V2:53 udp mark 7 => forward-masquerade R2 to R2:53 [UDP 300 1/1]
C2:1000 > V:443 S mark 7 => forward-masquerade R1 to R1:443 [SYN_RECV 60 1/0]
-Lc
| IP 60 NONE C2:0 0.0.0.7:0 R1:0
| IP 60 NONE C:0 0.0.0.7:0 R2:0
| TCP 60 SYN_RECV C2:1000 V:443 R1:443
| TCP 60 SYN_RECV C:1000 V:80 R2:80
| UDP 300 UDP C:1000 V2:53 R2:53
R2:80 > C:1000 S. => forward-reply C from V:80 [SYN_RECV 60 1/1]

# a mark without a service: then one of the address gets it
-A -f 7 -s rr
-a -f 7 -r R1:0 -g
-A -t V:22 -s rr
-a -t V:22 -r R3 -g
C:1000 > V:22 S mark 9 => forward-route R3 [SYN_RECV 60 1/0]
C:1000 > V:80 S mark 9 => pass-no-service
C:1001 > V:22 S mark 7 => forward-route R1 [SYN_RECV 60 1/0]

# what a mark brings to the host is the director's, whose address ever it goes to
-A -f 7 -s rr
-a -f 7 -r R1:0 -g
-a -f 7 -r R2:0 -m
C:1000 > Q:80 S mark 7 at local-in => forward-masquerade R2 to R2:80 [SYN_RECV 60 1/0]
C:1000 > Q:80 . mark 7 at local-in => forward-masquerade R2 to R2:80 [ESTABLISHED 900 1/0]
R2:80 > C:1000 . at forward => forward-reply C from Q:80 ttl 64 [ESTABLISHED 900 1/0]
C:1001 > Q:80 S mark 7 at local-in => forward-route R1 [SYN_RECV 60 1/0]
C:1001 > Q:81 S => pass-no-service
C:1001 > R1:80 S mark 7 at local-in => forward-masquerade R2 to R2:80 [SYN_RECV 60 2/0]

# a mark that goes leaves connections to the host's own addresses alone, and gives the others back
-A -f 7 -s rr
-a -f 7 -r R1:0 -g
C:1000 > V:80 S mark 7 at local-in => forward-route R1 [SYN_RECV 60 1/0]
C:1000 > Q:80 S mark 7 at local-in => forward-route R1 [SYN_RECV 60 2/0]
C:1000 > V:80 . at local-in => forward-route R1 [ESTABLISHED 900 2/0]
C:1000 > Q:80 . => pass-not-local [SYN_RECV 60 2/0]
C:1001 > V:80 S at local-in => pass-no-service
C:1000 > Q:80 . mark 7 at local-in => forward-route R1 [ESTABLISHED 900 2/0]
-d -f 7 -r R1:0
C:1000 > Q:80 . mark 7 at local-in => drop-destination-removed [ESTABLISHED 900 2/0]
C:1000 > Q:80 . => pass-not-local [ESTABLISHED 900 2/0]

# fragments are put together and keep their mark and their hook [inet]
-A -f 7 -s rr
-a -f 7 -r R1:0 -g
C:1000 > Q:53 udp len 2000 in 1500 mark 7 at local-in => hold-fragment, forward-route R1 parts 1500 520 [UDP 300 0/1]
C:1000 > Q:54 udp len 2000 in 1500 => hold-fragment, pass-no-service

# fragments of IPv6 are put together and keep their mark and their hook [inet6]
-A -f 7 -s rr
-a -f 7 -r R1:0 -g
C:1000 > Q:53 udp len 2000 in 1500 mark 7 at local-in => hold-fragment, forward-route R1 parts 1496 560 [UDP 300 0/1]
C:1000 > Q:54 udp len 2000 in 1500 => hold-fragment, pass-no-service

# ICMP errors about a mark's connections: those that the mark brings need no forwarding
-A -f 7 -s rr
-a -f 7 -r R1:0 -m
C:1000 > Q:80 S mark 7 at local-in => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
X > Q unreachable-host about Q:80 > C:1000 . => forward-icmp-request R1 X > R1 unreachable-host ttl 62 about R1:80 > C:1000 .
X > Q unreachable-host ttl 1 about Q:80 > C:1000 . => drop-time-exceeded
R1 > C unreachable-port about C:1000 > R1:80 S => forward-icmp-reply C Q > C unreachable-port ttl 63 about C:1000 > Q:80 S
host forwarding off
X > Q unreachable-host about Q:80 > C:1000 . => pass-not-local
X > Q unreachable-host mark 7 at local-in about Q:80 > C:1000 . => forward-icmp-request R1 X > R1 unreachable-host ttl 63 about R1:80 > C:1000 .

# dh and lblc go by the address that was asked for [inet]
-A -f 7 -s dh
-a -f 7 -r R1:0 -g
-a -f 7 -r R2:0 -g
-a -f 7 -r R3:0 -g
C:1000 > 192.0.2.1:80 S mark 7 at local-in => forward-route R1 [SYN_RECV 60 1/0]
C:1000 > 192.0.2.2:80 S mark 7 at local-in => forward-route R2 [SYN_RECV 60 1/0]
C:1000 > 198.51.100.7:80 S mark 7 at local-in => forward-route R3 [SYN_RECV 60 1/0]

# one-packet scheduling, UDP alone
-A -f 7 -s rr -o
-a -f 7 -r R1:0 -g
-a -f 7 -r R2:0 -g
C:1000 > V:53 udp mark 7 => forward-route R2
C:1000 > V:53 udp mark 7 => forward-route R1
C:1000 > V:80 S mark 7 => forward-route R2 [SYN_RECV 60 1/0]
C:1000 > V:80 . mark 7 => forward-route R2 [ESTABLISHED 900 1/0]
C:1000 > V:9 sctp:INIT mark 7 => forward-route R1 [INIT1 4 0/1]

# cache_bypass: what no server may take goes on to where it was sent [inet]
-A -f 7 -s rr
-a -f 7 -r R1:0 -g -w 0
C:1000 > R3:80 S mark 7 at local-in => drop-no-destination
sysctl cache_bypass=1
C:1000 > R3:80 S mark 7 at local-in => forward-bypass R3 [SYN_RECV 60 1/0]
C:1000 > R3:80 . mark 7 at local-in => forward-bypass R3 [ESTABLISHED 900 1/0]
R3:80 > C:1000 . => pass-reply [ESTABLISHED 900 1/0]
C:1001 > V:80 S mark 7 at local-in => drop-no-destination; V > C unreachable-port about C:1001 > V:80 S
C:1001 > Q:80 S mark 7 at local-in => drop-unreachable [SYN_RECV 60 2/0]
C:1002 > R3:53 udp ttl 1 mark 7 at local-in => drop-time-exceeded [UDP 300 2/1]
-Lc
| TCP 60 SYN_RECV C:1001 Q:80 0.0.0.0:0
| TCP 900 ESTABLISHED C:1000 R3:80 0.0.0.0:0
| UDP 300 UDP C:1002 R3:53 0.0.0.0:0
-e -f 7 -r R1:0 -g -w 1
C:1000 > R3:80 . mark 7 at local-in => forward-bypass R3 [ESTABLISHED 900 2/1]
C:1003 > R3:80 S mark 7 at local-in => forward-route R1 [SYN_RECV 60 1/0]
+2
-L --total
| 1 in 1/40 out 0/0

# cache_bypass: an address of the host's own is unicast, too, and nobody's [inet6]
-A -f 7 -s rr
sysctl cache_bypass=1
C:1000 > R3:80 S mark 7 at local-in => forward-bypass R3 [SYN_RECV 60 1/0]
C:1001 > V:80 S mark 7 at local-in => drop-crosses-local [SYN_RECV 60 2/0]
-Lc
| TCP 60 SYN_RECV C:1000 R3:80 [::]:0
| TCP 60 SYN_RECV C:1001 V:80 [::]:0
`);
