import { scenarios } from "../scenario.ts";

/** Services and destinations: what commands do to those in use (ip_vs_ctl.c). */
export const SERVICES = scenarios(`
# the destination added last gets the first connection
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
-a -t V:80 -r R2 -g
-a -t V:80 -r R3 -g
C:1000 > V:80 S => forward-route R3 [SYN_RECV 60 1/0]
C:1001 > V:80 S => forward-route R2 [SYN_RECV 60 1/0]
C:1002 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
C:1003 > V:80 S => forward-route R3 [SYN_RECV 60 2/0]

# adding what is there and changing what is not is refused, and changes nothing
-A -t V:80 -s rr
-A -t V:80 -s wlc => service-exists
-E -t V:81 -s wlc => no-such-service
-D -t V:81        => no-such-service
-A -t V:82 -s nosuch => no-such-scheduler
-a -t V:81 -r R1  => service-not-defined
-a -t V:80 -r R1 -m
-a -t V:80 -r R1 -g => destination-exists
-e -t V:80 -r R2  => no-such-destination
-d -t V:80 -r R2  => no-such-destination
-a -t V:80 -r R2 -w -1 => weight-out-of-range
-a -t V:80 -r R2 -x 1 -y 2 => threshold-out-of-range
-L
| TCP V:80 rr
| -> R1:80 masquerade 1 0 0 0

# editing writes the whole record and keeps connections and destinations
-A -t V:80 -s rr -p 60
-a -t V:80 -r R1 -g -w 5
C:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
-E -t V:80 -s sed
-e -t V:80 -r R1 -m
-L
| TCP V:80 sed
| -> R1:80 masquerade 1 1 0 1
C:1000 > V:80 . => forward-route R1 [ESTABLISHED 900 1/0]         -- an entry keeps its method
C:1001 > V:80 S => forward-masquerade R1 to R1:80 [SYN_RECV 60 2/0]

# weight 0 keeps connections and gets no new ones
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
-a -t V:80 -r R2 -g
C:1000 > V:80 S => forward-route R2 [SYN_RECV 60 1/0]
-e -t V:80 -r R2 -g -w 0
C:1000 > V:80 . => forward-route R2 [ESTABLISHED 900 1/0]
C:1001 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
C:1002 > V:80 S => forward-route R1 [SYN_RECV 60 2/0]
-e -t V:80 -r R1 -g -w 0
C:1003 > V:80 S => drop-no-destination; V > C unreachable-port about C:1003 > V:80 S

# a service without destinations answers port unreachable, to UDP and SCTP as well
-A -t V:80
-A -u V:53
-A --sctp-service V:9
C:1000 > V:80 S   => drop-no-destination; V > C unreachable-port about C:1000 > V:80 S
C:1000 > V:53 udp => drop-no-destination; V > C unreachable-port about C:1000 > V:53 udp
C:1000 > V:9 sctp:INIT => drop-no-destination; V > C unreachable-port about C:1000 > V:9 sctp:INIT
C:1000 > V:80 .   => pass-not-first
C:1000 > V:80 R   => pass-not-first
C:1000 > V:80 SR  => pass-not-first
C:1000 > V:9 sctp:DATA => pass-not-first
C:1000 > V:9 sctp => drop-malformed

# an edited destination keeps its place in the list
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
-a -t V:80 -r R2 -g
-e -t V:80 -r R1 -g -w 3
C:1000 > V:80 S => forward-route R2 [SYN_RECV 60 1/0]
C:1001 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]

# connections of a removed destination are dropped in silence, and work again when it is back
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
C:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
C:1000 > V:80 . => forward-route R1 [ESTABLISHED 900 1/0]
-d -t V:80 -r R1
C:1000 > V:80 . => drop-destination-removed [ESTABLISHED 900 1/0]
C:1000 > V:80 S => drop-destination-removed [ESTABLISHED 900 1/0]
C:1001 > V:80 S => drop-no-destination; V > C unreachable-port about C:1001 > V:80 S
+100
-a -t V:80 -r R1 -g
-L
| TCP V:80 rr
| -> R1:80 route 1 1 0 0
C:1000 > V:80 . => forward-route R1 [ESTABLISHED 900 1/0]

# connections outlive their service, and come back with it
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
C:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
-C
-A -t V:81
C:1000 > V:80 . => drop-destination-removed [SYN_RECV 60 1/0]
-A -t V:80 -s wlc
-a -t V:80 -r R1 -g
C:1000 > V:80 . => forward-route R1 [ESTABLISHED 900 1/0]

# without any service of the family nothing is looked at
-A -t V:80
-a -t V:80 -r R1 -g
C:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
-C
C:1000 > V:80 . => pass-no-services [SYN_RECV 60 1/0]

# a destination in the trash comes back with its statistics up to three minutes after its last connection [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
C:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
-d -t V:80 -r R1
+170                                          -- the connection ended after 60
-a -t V:80 -r R1 -g
+2
-L --stats
| TCP V:80 1 in 1/40 out 0/0
| -> R1:80 1 in 1/40 out 0/0

# a destination is forgotten three minutes after its last connection at the latest [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
C:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
-d -t V:80 -r R1
+241
-a -t V:80 -r R1 -g
+2
-L --stats
| TCP V:80 1 in 1/40 out 0/0
| -> R1:80 0 in 0/0 out 0/0

# templates keep a destination in the trash, too [inet]
-A -u V:53 -s rr -p 900
-a -u V:53 -r R1 -g
C:1000 > V:53 udp => forward-route R1 [UDP 300 0/1]
-d -u V:53 -r R1
+800                                          -- the connection ended after 300
-a -u V:53 -r R1 -g
+2
-L --stats
| UDP V:53 1 in 1/28 out 0/0
| -> R1:53 1 in 1/28 out 0/0

# a destination that came back from the trash is there to stay
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
-d -t V:80 -r R1
+70
-a -t V:80 -r R1 -g
+300
C:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]

# removed again, a destination has its two minutes again [inet]
-A -u V:53 -s rr -o
-a -u V:53 -r R1 -g
C:1000 > V:53 udp => forward-route R1
-d -u V:53 -r R1
+90                                           -- found idle at 60
-a -u V:53 -r R1 -g
-d -u V:53 -r R1
+119
-a -u V:53 -r R1 -g
+2
-L --stats
| UDP V:53 1 in 1/28 out 0/0
| -> R1:53 1 in 1/28 out 0/0

# under a new service a destination comes back with its connections, its statistics begin again [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
C:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
+2
-D -t V:80
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
+2
-L --stats
| TCP V:80 0 in 0/0 out 0/0
| -> R1:80 0 in 0/0 out 0/0
-L
| TCP V:80 rr
| -> R1:80 route 1 1 0 0

# expire_nodest_conn forgets the connections of a removed destination
sysctl expire_nodest_conn=1
-A -t V:80 -s rr
-A -u V:53 -s rr
-a -t V:80 -r R1 -g
-a -t V:80 -r R2 -g
-a -u V:53 -r R1 -g
-a -u V:53 -r R2 -g
C:1000 > V:80 S   => forward-route R2 [SYN_RECV 60 1/0]
C:1001 > V:80 S   => forward-route R1 [SYN_RECV 60 1/0]
C:1000 > V:53 udp => forward-route R2 [UDP 300 0/1]
-d -t V:80 -r R2
-d -u V:53 -r R2
-Lc
| TCP 60 SYN_RECV C:1001 V:80 R1:80
C:1000 > V:80 .   => pass-not-first
C:1000 > V:80 S   => forward-route R1 [SYN_RECV 60 2/0]
C:1000 > V:53 udp => forward-route R1 [UDP 300 0/1]

# expire_nodest_conn: connections of a removed destination are gone at once, however long it takes to tidy up
sysctl expire_nodest_conn=1
-A -t V:80 -s rr
-a -t V:80 -r R1 -m
-A -t V:81 -s rr -p 60
-a -t V:81 -r R1 -m
-A -t V:82 -s rr
-a -t V:82 -r R2 -m
C:1000 > V:80 S    => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
C:1001 > V:80 S    => forward-masquerade R1 to R1:80 [SYN_RECV 60 2/0]
C:1002 > V:80 S    => forward-masquerade R1 to R1:80 [SYN_RECV 60 3/0]
C:1000 > V:81 S    => forward-masquerade R1 to R1:81 [SYN_RECV 60 1/0]
C:1000 > V:82 S    => forward-masquerade R2 to R2:82 [SYN_RECV 60 1/0]
busy
-d -t V:80 -r R1
-d -t V:81 -r R1
-Lc
| TCP 60 SYN_RECV C:1000 V:82 R2:82
R1:80 > C:1000 S.  => pass-no-service
X > V unreachable-host about V:80 > C:1001 . => pass-icmp-unrelated
R1 > C unreachable-port about C:1001 > R1:80 S => pass-icmp-unrelated
C:1001 > V:80 .    => pass-not-first
-a -t V:80 -r R1 -m
-a -t V:81 -r R1 -m
-L
| TCP V:80 rr
| -> R1:80 masquerade 1 0 0 0
| TCP V:81 rr
| -> R1:81 masquerade 1 0 0 0
| TCP V:82 rr
| -> R2:82 masquerade 1 1 0 0
C:1001 > V:80 .    => pass-not-first
C:1002 > V:80 S    => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
C:1002 > V:80 .    => forward-masquerade R1 to R1:80 [ESTABLISHED 900 1/0]
C:1000 > V:81 S    => forward-masquerade R1 to R1:81 [SYN_RECV 60 1/0]
-Lc
| TCP 60 NONE C:0 V:81 R1:81
| TCP 60 SYN_RECV C:1000 V:81 R1:81
| TCP 60 SYN_RECV C:1000 V:82 R2:82
| TCP 900 ESTABLISHED C:1002 V:80 R1:80
+1
-L
| TCP V:80 rr
| -> R1:80 masquerade 1 1 0 0
| TCP V:81 rr
| -> R1:81 masquerade 1 1 0 1
| TCP V:82 rr
| -> R2:82 masquerade 1 1 0 0

# expire_nodest_conn set later: the next packet forgets the connection
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
C:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
-d -t V:80 -r R1
sysctl expire_nodest_conn=1
C:1000 > V:80 . => pass-not-first
-Lc
| nothing

# expire_nodest_conn: templates go with their last connection
sysctl expire_nodest_conn=1
-A -t V:80 -s rr -p 60
-a -t V:80 -r R1 -g
C:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
C:1001 > V:80 S => forward-route R1 [SYN_RECV 60 2/0]
C:1001 > V:80 . => forward-route R1 [ESTABLISHED 900 2/0]
-d -t V:80 -r R1
-Lc
| nothing

# lookup: mark before address and port, exact port before FTP's, any port last
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
-A -f 7 -s rr
-a -f 7 -r R2 -g
-A -t V:0 -s rr -p 60
-a -t V:0 -r R3 -g
C:1000 > V:80 S          => forward-route R1 [SYN_RECV 60 1/0]
C:1001 > V:80 S mark 7   => forward-route R2 [SYN_RECV 60 1/0]
C:1002 > V:80 S mark 8   => forward-route R1 [SYN_RECV 60 2/0]
C:1003 > V:443 S         => forward-route R3 [SYN_RECV 60 1/0]
C:1004 > V:443 udp       => pass-no-service
C:1005 > V2:443 S        => pass-no-service
C:1006 > V2:443 S mark 7 => forward-route R2 [SYN_RECV 60 2/0]

# lookup: FTP's data ports belong to port 21, but only persistence schedules them
-A -t V:21 -s rr
-a -t V:21 -r R1 -g
C:1000 > V:21 S    => forward-route R1 [SYN_RECV 60 1/0]
C:1001 > V:20 S    => pass-ftp-other-port
C:1001 > V:1024 S  => pass-ftp-other-port
C:1001 > V:1023 S  => pass-no-service
C:20 > V:21 S      => pass-source-port-20
-E -t V:21 -s rr -p 60
C:1002 > V:21 S    => forward-route R1 [SYN_RECV 60 2/0]
C:1003 > V:1024 S  => forward-route R1 [SYN_RECV 60 3/0]

# a mark may come with any address, of which the host's are balanced
-A -f 7 -s rr
-a -f 7 -r R1:0 -g
C:1000 > V:80 S mark 7   => forward-route R1 [SYN_RECV 60 1/0]
C:1000 > Q:80 S mark 7   => pass-not-local
C:1000 > V2:80 S mark 7  => forward-route R1 [SYN_RECV 60 2/0]
C:1000 > V:80 . mark 7   => forward-route R1 [ESTABLISHED 900 2/0]
host disown V
C:1000 > V:80 . mark 7   => pass-not-local [ESTABLISHED 900 2/0]

# a mark may come with any address: all of it matters [inet6]
-A -f 7 -s rr
-a -f 7 -r R1:0 -g
C:1000 > V:80 S mark 7               => forward-route R1 [SYN_RECV 60 1/0]
C:1000 > [fe09::100]:80 S mark 7     => pass-not-local
C:1000 > V:80 . mark 7               => forward-route R1 [ESTABLISHED 900 1/0]
C:1000 > [fd09:0:0:1::100]:80 S mark 7 => pass-not-local
C:1000 > V:80 . mark 7               => forward-route R1 [ESTABLISHED 900 1/0]
C:1000 > [fd09::1:0:100]:80 S mark 7 => pass-not-local

# another scheduler, or other flags of its, begins anew and knows every destination [inet]
-A -u V:80 -s rr
-a -u V:80 -r R1
-a -u V:80 -r R2 -w 0
-a -u V:80 -r R3
-E -u V:80 -s sh
10.9.0.9:20000 > V:80 udp => drop-no-destination; V > 10.9.0.9 unreachable-port about 10.9.0.9:20000 > V:80 udp
-E -u V:80 -s sh -b sh-fallback
10.9.0.9:20000 > V:80 udp => forward-route R1 [UDP 300 0/1]
-E -u V:80 -s mh
10.9.1.3:20000 > V:80 udp => forward-route R3 [UDP 300 0/1]

# a masqueraded server of a mark without a port gets the packet's own
-A -f 7 -s rr
-a -f 7 -r R1:0 -m
-a -f 7 -r R2:8080 -m
C:1000 > V:80 S mark 7 => forward-masquerade R2 to R2:8080 [SYN_RECV 60 1/0]
C:1001 > V:80 S mark 7 => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]

# a SYN and ACK opens a connection, and with sloppy_tcp every segment but RST
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
C:1000 > V:80 S. => forward-route R1 [SYN_RECV 60 1/0]
sysctl sloppy_tcp=1
C:1001 > V:80 .  => forward-route R1 [ESTABLISHED 900 2/0]
C:1002 > V:80 R. => pass-not-first

# packets that are not the host's, not unicast or of other protocols are the host's affair
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
host disown V
C:1000 > V:80 S           => pass-not-local
host own V
C:1000 > V:80 S broadcast => pass-not-unicast
M:1000 > V:80 S           => pass-martian-source
C > V esp                 => pass-not-balanced
C > V echo                => pass-not-balanced
C:1000 > V:80 S           => forward-route R1 [SYN_RECV 60 1/0]
host disown V
C:1000 > V:80 .           => pass-not-local [SYN_RECV 60 1/0]

# what cannot be parsed is the host's affair
-A -t V:80
bytes 45 => pass-malformed
bytes 4500 0014 0000 0000 4006 0000 0a09 0002 0a09 0064 => pass-malformed

# a full table: who is half open gives way, the oldest first, and nobody else [limit 2]
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
C:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
C:1000 > V:80 . => forward-route R1 [ESTABLISHED 900 1/0]
C:1001 > V:80 S => forward-route R1 [SYN_RECV 60 2/0]
C:1002 > V:80 S => forward-route R1 [SYN_RECV 60 2/0]  -- in place of 1001
C:1001 > V:80 . => pass-not-first
C:1002 > V:80 . => forward-route R1 [ESTABLISHED 900 2/0]
C:1003 > V:80 S => drop-table-full
C:1000 > V:80 . => forward-route R1 [ESTABLISHED 900 2/0]
C:1002 > V:80 R => forward-route R1 [CLOSE 10 1/1]
C:1003 > V:80 S => forward-route R1 [SYN_RECV 60 2/0]  -- in place of 1002, which is over
C:1000 > V:80 . => forward-route R1 [ESTABLISHED 900 2/0]

# a full table: a connection that begins anew takes its own place [limit 1]
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
C:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
C:1000 > V:80 R => forward-route R1 [SYN_RECV 60 1/0]
C:1000 > V:80 . => forward-route R1 [ESTABLISHED 900 1/0]
C:1000 > V:80 R => forward-route R1 [CLOSE 10 0/1]
C:1000 > V:80 S => drop-table-full  -- the old entry is needed until the new one stands
C:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]

# a full table: of datagrams, a client's first gives way, the later the more its server says [limit 2]
-A -u V:53 -s rr
-a -u V:53 -r R1 -m
C:1000 > V:53 udp  => forward-masquerade R1 to R1:53 [UDP 300 0/1]
C:1001 > V:53 udp  => forward-masquerade R1 to R1:53 [UDP 300 0/2]
R1:53 > C:1000 udp => forward-reply C from V:53 [UDP 300 0/2]
C:1002 > V:53 udp  => forward-masquerade R1 to R1:53 [UDP 300 0/2]
R1:53 > C:1000 udp => forward-reply C from V:53 [UDP 300 0/2]
C:1000 > V:53 udp  => forward-masquerade R1 to R1:53 [UDP 300 0/2]
C:1002 > V:53 udp  => forward-masquerade R1 to R1:53 [UDP 300 0/2]
C:1003 > V:53 udp  => drop-table-full

# a full table: a template gives way when its connections did, and never led to a conversation [limit 2]
-A -t V:80 -s rr -p 60
-a -t V:80 -r R1 -g
C:1000 > V:80 S  => forward-route R1 [SYN_RECV 60 1/0]
C:1001 > V:80 S  => forward-route R1 [SYN_RECV 60 1/0]
C2:1001 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
C2:1001 > V:80 . => forward-route R1 [ESTABLISHED 900 1/0]
C2:1002 > V:80 S => drop-table-full
C:1000 > V:80 S  => drop-table-full

# one service leaves a part of the table to others, also of connections that give way to nobody [limit 8]
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
-A -t V:81 -s rr
-a -t V:81 -r R2 -g
sysctl sloppy_tcp=1
C:1000 > V:80 . => forward-route R1 [ESTABLISHED 900 1/0]
C:1001 > V:80 . => forward-route R1 [ESTABLISHED 900 2/0]
C:1002 > V:80 . => forward-route R1 [ESTABLISHED 900 3/0]
C:1003 > V:80 . => forward-route R1 [ESTABLISHED 900 4/0]
C:1004 > V:80 . => forward-route R1 [ESTABLISHED 900 5/0]
C:1005 > V:80 . => forward-route R1 [ESTABLISHED 900 6/0]
C:1006 > V:80 . => forward-route R1 [ESTABLISHED 900 7/0]
C:1007 > V:80 . => drop-service-share
C:1008 > V:81 S => forward-route R2 [SYN_RECV 60 1/0]
C:1007 > V:80 . => drop-table-full  -- who holds most takes nothing from who holds less
C:1009 > V:81 S => forward-route R2 [SYN_RECV 60 1/0]  -- in place of its own
-D -t V:81                          -- alone it may have all
+61
C:1007 > V:80 . => forward-route R1 [ESTABLISHED 900 8/0]
`);

/** Thresholds (ip_vs_bind_dest(), ip_vs_unbind_dest()). */
export const THRESHOLDS = scenarios(`
# golden row: rr, upper thresholds 3, 4 and 2
-A -t V:80 -s rr
-a -t V:80 -r R1 -g -x 3
-a -t V:80 -r R2 -g -x 4
-a -t V:80 -r R3 -g -x 2
C:1 > V:80 S => forward-route R3 [SYN_RECV 60 1/0]
C:2 > V:80 S => forward-route R2 [SYN_RECV 60 1/0]
C:3 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
C:4 > V:80 S => forward-route R3 [SYN_RECV 60 2/0]
C:5 > V:80 S => forward-route R2 [SYN_RECV 60 2/0]
C:6 > V:80 S => forward-route R1 [SYN_RECV 60 2/0]
C:7 > V:80 S => forward-route R2 [SYN_RECV 60 3/0]
C:8 > V:80 S => forward-route R1 [SYN_RECV 60 3/0]
C:9 > V:80 S => forward-route R2 [SYN_RECV 60 4/0]
C:10 > V:80 S => drop-no-destination; V > C unreachable-port about C:10 > V:80 S

# without a lower threshold it takes connections again below three quarters
-A -t V:80 -s rr
-a -t V:80 -r R1 -g -x 4
C:1 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
C:2 > V:80 S => forward-route R1 [SYN_RECV 60 2/0]
C:3 > V:80 S => forward-route R1 [SYN_RECV 60 3/0]
C:4 > V:80 S => forward-route R1 [SYN_RECV 60 4/0]
C:5 > V:80 S => drop-no-destination; V > C unreachable-port about C:5 > V:80 S
C:2 > V:80 . => forward-route R1 [ESTABLISHED 900 4/0]
C:1 > V:80 F => forward-route R1 [TIME_WAIT 120 3/1]       -- inactive ones count, too
C:5 > V:80 S => drop-no-destination; V > C unreachable-port about C:5 > V:80 S
C:3 > V:80 . => forward-route R1 [ESTABLISHED 900 3/1]
+61
C:5 > V:80 S => drop-no-destination; V > C unreachable-port about C:5 > V:80 S    -- 3 of 4 are not below 3
+60
C:5 > V:80 S => forward-route R1 [SYN_RECV 60 3/0]

# with a lower threshold it takes connections again below that
-A -u V:53 -s rr
-a -u V:53 -r R1 -g -x 2 -y 1
C:1 > V:53 udp => forward-route R1 [UDP 300 0/1]
+100
C:2 > V:53 udp => forward-route R1 [UDP 300 0/2]
+201
C:3 > V:53 udp => drop-no-destination; V > C unreachable-port about C:3 > V:53 udp
+100
C:3 > V:53 udp => forward-route R1 [UDP 300 0/1]

# editing the threshold applies at once
-A -u V:53 -s rr
-a -u V:53 -r R1 -g -x 1
C:1 > V:53 udp => forward-route R1 [UDP 300 0/1]
C:2 > V:53 udp => drop-no-destination; V > C unreachable-port about C:2 > V:53 udp
-e -u V:53 -r R1 -g -x 2
C:2 > V:53 udp => forward-route R1 [UDP 300 0/2]
-e -u V:53 -r R1 -g
C:3 > V:53 udp => forward-route R1 [UDP 300 0/3]
-e -u V:53 -r R1 -g -x 3
C:4 > V:53 udp => drop-no-destination; V > C unreachable-port about C:4 > V:53 udp

# an edit that brings the marks to both sides of the count leaves it full, or not
-A -u V:53 -s rr
-a -u V:53 -r R1 -g -x 2 -y 1
C:1 > V:53 udp => forward-route R1 [UDP 300 0/1]
C:2 > V:53 udp => forward-route R1 [UDP 300 0/2]
-e -u V:53 -r R1 -g -x 4 -y 2
C:3 > V:53 udp => drop-no-destination; V > C unreachable-port about C:3 > V:53 udp
-e -u V:53 -r R1 -g -x 4 -y 3
C:3 > V:53 udp => forward-route R1 [UDP 300 0/3]
-e -u V:53 -r R1 -g -x 4 -y 1
C:4 > V:53 udp => forward-route R1 [UDP 300 0/4]
`);
