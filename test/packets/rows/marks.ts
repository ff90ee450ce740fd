import { scenarios } from "../scenario.ts";

/** Mark rules, for engines that do not see netfilter's marks: src/ipvs/mark-rule.ts. */
export const MARKS = scenarios(`
# ports of one mark are one service
-A -f 7 -s rr
-a -f 7 -r R1:0 -g
-a -f 7 -r R2:0 -g
C:1000 > V:80 S => pass-no-service
mark add -d V -p tcp --ports 80,443,8000-8100 -m 7
C:1000 > V:80 S    => forward-route R2 [SYN_RECV 60 1/0]
C:1001 > V:443 S   => forward-route R1 [SYN_RECV 60 1/0]
C:1002 > V:8100 S  => forward-route R2 [SYN_RECV 60 2/0]
C:1003 > V:8101 S  => pass-no-service
C:1004 > V:80 udp  => pass-no-service
C:1005 > V2:80 S   => pass-no-service

# persistence: everything of a mark sticks together [inet]
-A -f 7 -s rr -p 60
-a -f 7 -r R1:0 -m
-a -f 7 -r R2:0 -m
mark add -d V -p tcp -m 7
mark add -d V2 -p udp -m 7
C:1000 > V:80 S     => forward-masquerade R2 to R2:80 [SYN_RECV 60 1/0]
C:1000 > V2:53 udp  => forward-masquerade R2 to R2:53 [UDP 300 1/1]
C2:1000 > V:443 S   => forward-masquerade R1 to R1:443 [SYN_RECV 60 1/0]
-Lc
| IP 60 NONE C2:0 0.0.0.7:0 R1:0
| IP 60 NONE C:0 0.0.0.7:0 R2:0
| TCP 60 SYN_RECV C2:1000 V:443 R1:443
| TCP 60 SYN_RECV C:1000 V:80 R2:80
| UDP 300 UDP C:1000 V2:53 R2:53
R2:80 > C:1000 S.   => forward-reply C from V:80 [SYN_RECV 60 1/1]

# the first rule that matches decides, and one without a service ends there
-A -f 7 -s rr
-a -f 7 -r R1:0 -g
-A -f 8 -s rr
-a -f 8 -r R2:0 -g
-A -t V:22 -s rr
-a -t V:22 -r R3 -g
mark add -s C -m 7
mark add -d V -p tcp --ports 22 -m 9
mark add -d V -m 8
C:1000 > V:80 S   => forward-route R1 [SYN_RECV 60 1/0]
C2:1000 > V:80 S  => forward-route R2 [SYN_RECV 60 1/0]
C2:1000 > V:22 S  => forward-route R3 [SYN_RECV 60 1/0]
C:1000 > V:22 S   => forward-route R1 [SYN_RECV 60 2/0]
C:1000 > V:80 S mark 8   => forward-route R1 [SYN_RECV 60 2/0]
C2:1002 > V2:80 S mark 8 => forward-route R2 [SYN_RECV 60 2/0]  -- no rule: the packet keeps its own

# what is marked is taken, whose address ever it goes to
-A -f 7 -s rr
-a -f 7 -r R1:0 -g
-a -f 7 -r R2:0 -m
mark add -p tcp --ports 80 -m 7
C:1000 > Q:80 S  => forward-masquerade R2 to R2:80 [SYN_RECV 60 1/0]
C:1000 > Q:80 .  => forward-masquerade R2 to R2:80 [ESTABLISHED 900 1/0]
R2:80 > C:1000 . => forward-reply C from Q:80 [ESTABLISHED 900 1/0]
C:1001 > Q:80 S  => forward-route R1 [SYN_RECV 60 1/0]
C:1001 > Q:81 S  => pass-no-service
C:1001 > R1:80 S => forward-masquerade R2 to R2:80 [SYN_RECV 60 2/0]

# a rule that goes leaves connections to the host's own addresses alone, and gives the others back
-A -f 7 -s rr
-a -f 7 -r R1:0 -g
mark add -p tcp -m 7
C:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
C:1000 > Q:80 S => forward-route R1 [SYN_RECV 60 2/0]
mark delete -p tcp
C:1000 > V:80 . => forward-route R1 [ESTABLISHED 900 2/0]
C:1000 > Q:80 . => pass-not-local [SYN_RECV 60 2/0]
C:1001 > V:80 S => pass-no-service
mark add -p tcp --ports 80 -m 7
C:1000 > Q:80 . => forward-route R1 [ESTABLISHED 900 2/0]
-d -f 7 -r R1:0
C:1000 > Q:80 . => drop-destination-removed [ESTABLISHED 900 2/0]
mark flush
C:1000 > Q:80 . => pass-not-local [ESTABLISHED 900 2/0]

# nobody there: the host sends no message from an address that is not its own [inet]
-A -f 7 -s rr
mark add -p tcp -m 7
C:1000 > Q:80 S => drop-no-destination

# nobody there: IPv6 speaks with an address of the host's own [inet6]
-A -f 7 -s rr
mark add -p tcp -m 7
C:1000 > Q:80 S => drop-no-destination; E > C unreachable-port about C:1000 > Q:80 S

# fragments are marked by the ports of the whole [inet]
-A -f 7 -s rr
-a -f 7 -r R1:0 -g
mark add -d Q -p udp --ports 53 -m 7
C:1000 > Q:53 udp len 2000 in 1500 => hold-fragment, forward-route R1 parts 1500 520 [UDP 300 0/1]
C:1000 > Q:54 udp len 2000 in 1500 => hold-fragment, pass-no-service

# fragments of IPv6 are marked by the ports of the whole [inet6]
-A -f 7 -s rr
-a -f 7 -r R1:0 -g
mark add -d Q -p udp --ports 53 -m 7
C:1000 > Q:53 udp len 2000 in 1500 => hold-fragment, forward-route R1 parts 1496 560 [UDP 300 0/1]
C:1000 > Q:54 udp len 2000 in 1500 => hold-fragment, pass-no-service

# ICMP errors about a mark's connections: those that a rule takes need no forwarding
-A -f 7 -s rr
-a -f 7 -r R1:0 -m
mark add -d Q -p tcp -m 7
C:1000 > Q:80 S => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
X > Q unreachable-host about Q:80 > C:1000 . => forward-icmp-request R1 X > R1 unreachable-host ttl 62 about R1:80 > C:1000 .
X > Q unreachable-host ttl 1 about Q:80 > C:1000 . => drop-time-exceeded
R1 > C unreachable-port about C:1000 > R1:80 S => forward-icmp-reply C Q > C unreachable-port ttl 63 about C:1000 > Q:80 S
host forwarding off
X > Q unreachable-host about Q:80 > C:1000 . => pass-not-local
mark add -d Q -p icmp -m 7
X > Q unreachable-host about Q:80 > C:1000 . => forward-icmp-request R1 X > R1 unreachable-host ttl 63 about R1:80 > C:1000 .

# dh and lblc go by the address that was asked for [inet]
-A -f 7 -s dh
-a -f 7 -r R1:0 -g
-a -f 7 -r R2:0 -g
-a -f 7 -r R3:0 -g
mark add -p tcp -m 7
C:1000 > 192.0.2.1:80 S    => forward-route R1 [SYN_RECV 60 1/0]
C:1000 > 192.0.2.2:80 S    => forward-route R2 [SYN_RECV 60 1/0]
C:1000 > 198.51.100.7:80 S => forward-route R3 [SYN_RECV 60 1/0]

# one-packet scheduling, UDP alone
-A -f 7 -s rr -o
-a -f 7 -r R1:0 -g
-a -f 7 -r R2:0 -g
mark add -d V -m 7
C:1000 > V:53 udp => forward-route R2
C:1000 > V:53 udp => forward-route R1
C:1000 > V:80 S   => forward-route R2 [SYN_RECV 60 1/0]
C:1000 > V:80 .   => forward-route R2 [ESTABLISHED 900 1/0]
C:1000 > V:9 sctp:INIT => forward-route R1 [INIT1 4 0/1]

# refusals
mark add -d V -m 7
mark add -d V -p icmp --ports 1 -m 8 => invalid-mark-rule
mark delete -d V2        => no-such-mark-rule
mark add -d V -m 8       => mark-rule-exists

# cache_bypass: what no server may take goes on to where it was sent [inet]
-A -f 7 -s rr
-a -f 7 -r R1:0 -g -w 0
mark add -p tcp --ports 80 -m 7
mark add -p udp -m 7
C:1000 > R3:80 S  => drop-no-destination
sysctl cache_bypass=1
C:1000 > R3:80 S  => forward-bypass R3 [SYN_RECV 60 1/0]
C:1000 > R3:80 .  => forward-bypass R3 [ESTABLISHED 900 1/0]
R3:80 > C:1000 .  => pass-reply [ESTABLISHED 900 1/0]
C:1001 > V:80 S   => drop-no-destination; V > C unreachable-port about C:1001 > V:80 S
C:1001 > Q:80 S   => drop-unreachable [SYN_RECV 60 2/0]
C:1002 > R3:53 udp ttl 1 => drop-time-exceeded [UDP 300 2/1]
-Lc
| TCP 60 SYN_RECV C:1001 Q:80 0.0.0.0:0
| TCP 900 ESTABLISHED C:1000 R3:80 0.0.0.0:0
| UDP 300 UDP C:1002 R3:53 0.0.0.0:0
-e -f 7 -r R1:0 -g -w 1
C:1000 > R3:80 .  => forward-bypass R3 [ESTABLISHED 900 2/1]
C:1003 > R3:80 S  => forward-route R1 [SYN_RECV 60 1/0]
+2
-L --total
| 1 in 1/40 out 0/0

# cache_bypass: an address of the host's own is unicast, too, and nobody's [inet6]
-A -f 7 -s rr
mark add -p tcp --ports 80 -m 7
sysctl cache_bypass=1
C:1000 > R3:80 S  => forward-bypass R3 [SYN_RECV 60 1/0]
C:1001 > V:80 S   => drop-crosses-local [SYN_RECV 60 2/0]
-Lc
| TCP 60 SYN_RECV C:1000 R3:80 [::]:0
| TCP 60 SYN_RECV C:1001 V:80 [::]:0
`);
