import { scenarios } from "../scenario.ts";

/** Knobs against SYN floods and memory exhaustion (update_defense_level(), ip_vs_random_dropentry()). */
export const DEFENCE = scenarios(`
# secure_tcp, NAT: a client's ACK establishes nothing that the server has not answered
-A -t V:80 -s rr
-a -t V:80 -r R1 -m
sysctl secure_tcp=3
C:1000 > V:80 S    => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
C:1000 > V:80 .    => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
R1:80 > C:1000 S.  => forward-reply C from V:80 [SYNACK 120 1/0]
C:1000 > V:80 .    => forward-masquerade R1 to R1:80 [SYNACK 120 1/0]
R1:80 > C:1000 .   => forward-reply C from V:80 [ESTABLISHED 900 1/0]
sysctl secure_tcp=0
C:1001 > V:80 S    => forward-masquerade R1 to R1:80 [SYN_RECV 60 2/0]
C:1001 > V:80 .    => forward-masquerade R1 to R1:80 [ESTABLISHED 900 2/0]

# secure_tcp, DR: a first SYN alone is SYNACK
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
sysctl secure_tcp=3
C:1000 > V:80 S    => forward-route R1 [SYNACK 120 1/0]
C:1000 > V:80 .    => forward-route R1 [ESTABLISHED 900 1/0]
sysctl secure_tcp=2  -- memory is there: turns itself to 1
C:1001 > V:80 S    => forward-route R1 [SYN_RECV 60 2/0]
host pages 1000
C:1002 > V:80 S    => forward-route R1 [SYN_RECV 60 3/0]
+1
C:1003 > V:80 S    => forward-route R1 [SYNACK 120 4/0]
sysctl
| secure_tcp=2
host pages 1024
+1
sysctl
| secure_tcp=1
C:1004 > V:80 S    => forward-route R1 [SYN_RECV 60 5/0]
sysctl sloppy_tcp=1  -- another knob: the mode stays
sysctl
| secure_tcp=1 sloppy_tcp=1

# more packets than can be dealt with: connections go on, and each service opens one in a batch
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
-A -t V:81 -s rr
-a -t V:81 -r R2 -g
C:1000 > V:80 S    => forward-route R1 [SYN_RECV 60 1/0]
pressed
C:1001 > V:80 S    => forward-route R1 [SYN_RECV 60 2/0]
C:1002 > V:80 S    => drop-overload
C:1000 > V:80 .    => forward-route R1 [ESTABLISHED 900 2/0]
C:1003 > V:81 S    => forward-route R2 [SYN_RECV 60 1/0]
C:1001 > V:80 S    => forward-route R1 [SYN_RECV 60 2/0]  -- opens nothing
pressed
C:1006 > V:80 S    => forward-route R1 [SYN_RECV 60 3/0]
C:1004 > V:80 S    => drop-overload
C:1004 > V:80 S    => forward-route R1 [SYN_RECV 60 4/0]  -- its second try
C:1005 > V:80 S    => drop-overload
calm
C:1005 > V:80 S    => forward-route R1 [SYN_RECV 60 5/0]
C:1007 > V:80 S    => forward-route R1 [SYN_RECV 60 6/0]

# drop_packet 3: one packet in am_droprate that would open a connection, and the first
-A -u V:53 -s rr
-a -u V:53 -r R1 -g
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
sysctl am_droprate=3
sysctl drop_packet=3
C:1000 > V:80 S    => drop-defence
C:1000 > V:80 S    => forward-route R1 [SYN_RECV 60 1/0]
C:1000 > V:80 S    => forward-route R1 [SYN_RECV 60 1/0]  -- opens nothing: not counted
C:1000 > V:81 S    => pass-no-service
C:1000 > V:80 .    => forward-route R1 [ESTABLISHED 900 1/0]
C:1001 > V:53 udp  => forward-route R1 [UDP 300 0/1]
C:1002 > V:53 udp  => drop-defence
sysctl am_droprate=2  -- in force with the next second, once the counter is through
C:1002 > V:53 udp  => forward-route R1 [UDP 300 0/2]
C:1003 > V:53 udp  => forward-route R1 [UDP 300 0/3]
C:1004 > V:53 udp  => drop-defence
+1
C:1005 > V:53 udp  => forward-route R1 [UDP 300 0/4]
C:1006 > V:53 udp  => forward-route R1 [UDP 300 0/5]
C:1007 > V:53 udp  => drop-defence
C:1007 > V:53 udp  => forward-route R1 [UDP 300 0/6]
C:1008 > V:53 udp  => drop-defence
sysctl drop_packet=0
C:1008 > V:53 udp  => forward-route R1 [UDP 300 0/7]

# drop_packet 1: the less memory there is, the more is dropped
-A -u V:53 -s rr
-a -u V:53 -r R1 -g
host pages 700
sysctl drop_packet=1
sysctl
| drop_packet=2
C:1000 > V:53 udp  => forward-route R1 [UDP 300 0/1]
C:1001 > V:53 udp  => forward-route R1 [UDP 300 0/2]
C:1002 > V:53 udp  => drop-defence
host pages 0
+1
C:1003 > V:53 udp  => drop-defence
C:1004 > V:53 udp  => drop-defence
host pages 2000
+1
C:1005 > V:53 udp  => forward-route R1 [UDP 300 0/3]
sysctl
| drop_packet=1

# sloppy_sctp: any packet but ABORT opens an association
sysctl sloppy_sctp=1
-A --sctp-service V:9 -s rr
-a --sctp-service V:9 -r R1 -g
C:1000 > V:9 sctp:DATA         => forward-route R1 [ESTABLISHED 900 1/0]
C:1001 > V:9 sctp:COOKIE-ECHO  => forward-route R1 [ESTABLISHED 900 2/0]
C:1002 > V:9 sctp:ABORT        => pass-not-first
C:1003 > V:9 sctp              => drop-malformed
sysctl sloppy_sctp=0
C:1004 > V:9 sctp:DATA         => pass-not-first
`);
