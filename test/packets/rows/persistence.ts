import { scenarios } from "../scenario.ts";

/** Persistence (ip_vs_sched_persist()). */
export const PERSISTENCE = scenarios(`
# new connections of a client go to its server, those of others are scheduled
-A -t V:80 -s rr -p 60
-a -t V:80 -r R1 -g
-a -t V:80 -r R2 -g
C:1000 > V:80 S  => forward-route R2 [SYN_RECV 60 1/0]
C:1001 > V:80 S  => forward-route R2 [SYN_RECV 60 2/0]
C2:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
C:1002 > V:80 S  => forward-route R2 [SYN_RECV 60 3/0]
-L
| TCP V:80 rr
| -> R1:80 route 1 1 0 1
| -> R2:80 route 1 3 0 1
-Lc
| TCP 60 NONE C2:0 V:80 R1:80
| TCP 60 NONE C:0 V:80 R2:80
| TCP 60 SYN_RECV C2:1000 V:80 R1:80
| TCP 60 SYN_RECV C:1000 V:80 R2:80
| TCP 60 SYN_RECV C:1001 V:80 R2:80
| TCP 60 SYN_RECV C:1002 V:80 R2:80

# a netmask makes one client of many [inet]
-A -t V:80 -s rr -p 60 -M 24
-a -t V:80 -r R1 -g
-a -t V:80 -r R2 -g
C:1000 > V:80 S  => forward-route R2 [SYN_RECV 60 1/0]
C2:1000 > V:80 S => forward-route R2 [SYN_RECV 60 2/0]
C3:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
C:1000 > V:80 .  => forward-route R2 [ESTABLISHED 900 2/0]
-Lc
| TCP 60 ASSURED 10.9.0.0:0 V:80 R2:80
| TCP 60 NONE 10.9.1.0:0 V:80 R1:80
| TCP 60 SYN_RECV C2:1000 V:80 R2:80
| TCP 60 SYN_RECV C3:1000 V:80 R1:80
| TCP 900 ESTABLISHED C:1000 V:80 R2:80

# a prefix length makes one client of many [inet6]
-A -t V:80 -s rr -p 60 -M 64
-a -t V:80 -r R1 -g
-a -t V:80 -r R2 -g
C:1000 > V:80 S  => forward-route R2 [SYN_RECV 60 1/0]
C2:1000 > V:80 S => forward-route R2 [SYN_RECV 60 2/0]
C3:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
-Lc
| TCP 60 NONE [fd09:0:0:1::]:0 V:80 R1:80
| TCP 60 NONE [fd09::]:0 V:80 R2:80
| TCP 60 SYN_RECV C2:1000 V:80 R2:80
| TCP 60 SYN_RECV C3:1000 V:80 R1:80
| TCP 60 SYN_RECV C:1000 V:80 R2:80

# a prefix length that ends inside a word [inet6]
-A -t V:80 -s rr -p 60 -M 9
-a -t V:80 -r R1 -g
-a -t V:80 -r R2 -g
C:1000 > V:80 S          => forward-route R2 [SYN_RECV 60 1/0]
[fd00::1]:1000 > V:80 S  => forward-route R2 [SYN_RECV 60 2/0]
[fd80::1]:1000 > V:80 S  => forward-route R1 [SYN_RECV 60 1/0]

# a template is assured when a connection through it is established, of UDP when it is answered
-A -t V:80 -s rr -p 60
-a -t V:80 -r R1 -m
-A -u V:53 -s rr -p 60
-a -u V:53 -r R1 -m
C:1000 > V:80 S   => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
C:1000 > V:53 udp => forward-masquerade R1 to R1:53 [UDP 300 0/1]
C:1000 > V:53 udp => forward-masquerade R1 to R1:53 [UDP 300 0/1]
-Lc
| TCP 60 NONE C:0 V:80 R1:80
| TCP 60 SYN_RECV C:1000 V:80 R1:80
| UDP 300 UDP C:1000 V:53 R1:53
| UDP 60 NONE C:0 V:53 R1:53
C:1000 > V:80 .   => forward-masquerade R1 to R1:80 [ESTABLISHED 900 1/0]
R1:53 > C:1000 udp => forward-reply C from V:53 [UDP 300 0/1]
-Lc
| TCP 60 ASSURED C:0 V:80 R1:80
| TCP 900 ESTABLISHED C:1000 V:80 R1:80
| UDP 300 UDP C:1000 V:53 R1:53
| UDP 60 ASSURED C:0 V:53 R1:53

# any port: all ports of the VIP stick together, by protocol
-A -t V:0 -s rr -p 60
-a -t V:0 -r R1:0 -g
-a -t V:0 -r R2:0 -g
-A -u V:0 -s rr -p 60
-a -u V:0 -r R1:0 -g
-a -u V:0 -r R2:0 -g
C:1000 > V:80 S   => forward-route R2 [SYN_RECV 60 1/0]
C2:1000 > V:80 S  => forward-route R1 [SYN_RECV 60 1/0]
C:1001 > V:443 S  => forward-route R2 [SYN_RECV 60 2/0]
C2:1000 > V:53 udp => forward-route R2 [UDP 300 0/1]
-Lc
| TCP 60 NONE C2:0 V:0 R1:0
| TCP 60 NONE C:0 V:0 R2:0
| TCP 60 SYN_RECV C2:1000 V:80 R1:80
| TCP 60 SYN_RECV C:1000 V:80 R2:80
| TCP 60 SYN_RECV C:1001 V:443 R2:443
| UDP 300 UDP C2:1000 V:53 R2:53
| UDP 60 NONE C2:0 V:0 R2:0

# FTP: control and data go to one server
-A -t V:21 -s rr -p 60
-a -t V:21 -r R1:21 -g
-a -t V:21 -r R2:21 -g
C:1000 > V:21 S   => forward-route R2 [SYN_RECV 60 1/0]
C2:1000 > V:21 S  => forward-route R1 [SYN_RECV 60 1/0]
C:1001 > V:5000 S => forward-route R2 [SYN_RECV 60 2/0]
C2:20 > V:5000 S. => pass-source-port-20
-Lc
| TCP 60 NONE C2:0 V:0 R1:0
| TCP 60 NONE C:0 V:0 R2:0
| TCP 60 SYN_RECV C2:1000 V:21 R1:21
| TCP 60 SYN_RECV C:1000 V:21 R2:21
| TCP 60 SYN_RECV C:1001 V:5000 R2:5000

# a mark: everything that bears it sticks together [inet]
-A -f 7 -s rr -p 60
-a -f 7 -r R1:0 -g
-a -f 7 -r R2:8080 -m
C:1000 > V:80 S mark 7    => forward-masquerade R2 to R2:80 [SYN_RECV 60 1/0]
C:1000 > V2:53 udp mark 7 => forward-masquerade R2 to R2:53 [UDP 300 1/1]
C2:1000 > V:80 S mark 7   => forward-route R1 [SYN_RECV 60 1/0]
-Lc
| IP 60 NONE C2:0 0.0.0.7:0 R1:0
| IP 60 NONE C:0 0.0.0.7:0 R2:0
| TCP 60 SYN_RECV C2:1000 V:80 R1:80
| TCP 60 SYN_RECV C:1000 V:80 R2:80
| UDP 300 UDP C:1000 V2:53 R2:53

# a mark of IPv6 stands in the address's first word [inet6]
-A -f 7 -s rr -p 60
-a -f 7 -r R1:0 -g
C:1000 > V:80 S mark 7    => forward-route R1 [SYN_RECV 60 1/0]
C:1000 > V2:53 udp mark 7 => forward-route R1 [UDP 300 1/1]
-Lc
| IP 60 NONE C:0 [0:7::]:0 R1:0
| TCP 60 SYN_RECV C:1000 V:80 R1:80
| UDP 300 UDP C:1000 V2:53 R1:53

# a template lives for its timeout after the last new connection, and with its connections on in steps of 60 s
-A -u V:53 -s rr -p 300
-a -u V:53 -r R1 -g
C:1000 > V:53 udp => forward-route R1 [UDP 300 0/1]
+100
C:1001 > V:53 udp => forward-route R1 [UDP 300 0/2]     -- restarts it
+190
C:1001 > V:53 udp => forward-route R1 [UDP 300 0/2]     -- does not
-Lc
| UDP 10 UDP C:1000 V:53 R1:53
| UDP 110 NONE C:0 V:53 R1:53
| UDP 300 UDP C:1001 V:53 R1:53
+120
-Lc
| UDP 180 UDP C:1001 V:53 R1:53
| UDP 50 NONE C:0 V:53 R1:53
C:1002 > V:53 udp => forward-route R1 [UDP 300 0/2]
-Lc
| UDP 180 UDP C:1001 V:53 R1:53
| UDP 300 UDP C:1002 V:53 R1:53
| UDP 60 NONE C:0 V:53 R1:53
+365
-Lc
| nothing

# editing timeout and mask applies to new templates only
-A -u V:53 -s rr -p 100
-a -u V:53 -r R1 -g
C:1000 > V:53 udp => forward-route R1 [UDP 300 0/1]
-E -u V:53 -s rr -p 200
C:1001 > V:53 udp => forward-route R1 [UDP 300 0/2]
C2:1000 > V:53 udp => forward-route R1 [UDP 300 0/3]
-Lc
| UDP 100 NONE C:0 V:53 R1:53
| UDP 200 NONE C2:0 V:53 R1:53
| UDP 300 UDP C2:1000 V:53 R1:53
| UDP 300 UDP C:1000 V:53 R1:53
| UDP 300 UDP C:1001 V:53 R1:53

# a template does not ask whether its server is overloaded, or of weight 0
-A -t V:80 -s rr -p 60
-a -t V:80 -r R1 -g -x 1
-a -t V:80 -r R2 -g -x 1
C:1000 > V:80 S  => forward-route R2 [SYN_RECV 60 1/0]
C:1001 > V:80 S  => forward-route R2 [SYN_RECV 60 2/0]
C:1002 > V:80 S  => forward-route R2 [SYN_RECV 60 3/0]
C2:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
-e -t V:80 -r R2 -g -w 0
C:1003 > V:80 S  => forward-route R2 [SYN_RECV 60 4/0]

# expire_quiescent_template: a template to a server of weight 0 is given up
-A -t V:80 -s rr -p 60
-a -t V:80 -r R1 -g
-a -t V:80 -r R2 -g
C:1000 > V:80 S  => forward-route R2 [SYN_RECV 60 1/0]
-e -t V:80 -r R2 -g -w 0
sysctl expire_quiescent_template=1
C:1001 > V:80 S  => forward-route R1 [SYN_RECV 60 1/0]
C:1000 > V:80 .  => forward-route R2 [ESTABLISHED 900 1/0]
-Lc
| TCP 60 ASSURED C:0 V:65535 R2:65535
| TCP 60 NONE C:0 V:80 R1:80
| TCP 60 SYN_RECV C:1001 V:80 R1:80
| TCP 900 ESTABLISHED C:1000 V:80 R2:80

# a template to a removed server is given up
-A -t V:80 -s rr -p 60
-a -t V:80 -r R1 -g
-a -t V:80 -r R2 -g
C:1000 > V:80 S  => forward-route R2 [SYN_RECV 60 1/0]
-d -t V:80 -r R2
C:1001 > V:80 S  => forward-route R1 [SYN_RECV 60 1/0]
-Lc
| TCP 60 NONE C:0 V:65535 R2:65535
| TCP 60 NONE C:0 V:80 R1:80
| TCP 60 SYN_RECV C:1000 V:80 R2:80
| TCP 60 SYN_RECV C:1001 V:80 R1:80

# without a server the client is told, and no template stays
-A -t V:80 -s rr -p 60
C:1000 > V:80 S  => drop-no-destination; V > C unreachable-port about C:1000 > V:80 S
-Lc
| nothing

# one-packet scheduling with persistence: the template decides
-A -u V:53 -s rr -p 60 -o
-a -u V:53 -r R1 -g
-a -u V:53 -r R2 -g
C:1000 > V:53 udp  => forward-route R2
C:1000 > V:53 udp  => forward-route R2
C2:1000 > V:53 udp => forward-route R1
-Lc
| UDP 60 NONE C2:0 V:53 R1:53
| UDP 60 NONE C:0 V:53 R2:53
-L
| UDP V:53 rr
| -> R1:53 route 1 0 0 1
| -> R2:53 route 1 0 0 1
+61
-Lc
| nothing

# NAT: a template's connections are mapped to the server's port
-A -t V:80 -s rr -p 60
-a -t V:80 -r R1:8080 -m
C:1000 > V:80 S  => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
C:1001 > V:80 S  => forward-masquerade R1 to R1:8080 [SYN_RECV 60 2/0]
`);
