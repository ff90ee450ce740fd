import { scenarios } from "../scenario.ts";

/** Another director goes on with the connections of one that has ended. */
export const RESTART = scenarios(`
# connections go on where they went, with their states, times and counts
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
-a -t V:80 -r R2:8080 -m
C:1000 > V:80 S => forward-masquerade R2 to R2:8080 [SYN_RECV 60 1/0]
C:1000 > V:80 . => forward-masquerade R2 to R2:8080 [ESTABLISHED 900 1/0]
C2:1000 > V:80 S => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
+30
restart
C:1000 > V:80 . => forward-masquerade R2 to R2:8080 [ESTABLISHED 900 1/0]
R2:8080 > C:1000 . => forward-reply C from V:80 [ESTABLISHED 900 1/0]
C2:1000 > V:80 F. => forward-masquerade R1 to R1:8080 [TIME_WAIT 120 0/1]
C:1001 > V:80 S => forward-masquerade R2 to R2:8080 [SYN_RECV 60 2/0]
-L
| TCP V:80 rr
| -> R1:8080 masquerade 1 0 1 0
| -> R2:8080 masquerade 1 2 0 0

# a packet whose connection may not be adopted yet is dropped, whatever it is
-A -t V:80 -s rr
-a -t V:80 -r R1 -m
C:1000 > V:80 S => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
busy
restart
C:1000 > V:80 . => drop-adopting
C:1001 > V:80 S => drop-adopting
R1:80 > C:1000 S. => drop-adopting
R1 > C echo => drop-adopting
+1
C:1000 > V:80 . => forward-masquerade R1 to R1:80 [ESTABLISHED 900 1/0]
C:1001 > V:80 S => forward-masquerade R1 to R1:80 [SYN_RECV 60 2/0]
R1:80 > C:1000 S. => forward-reply C from V:80 [ESTABLISHED 900 2/0]

# templates go on with the connections that they control
-A -t V:80 -s rr -p 60
-a -t V:80 -r R1 -g
-a -t V:80 -r R2 -g
C:1000 > V:80 S => forward-route R2 [SYN_RECV 60 1/0]
C:1000 > V:80 . => forward-route R2 [ESTABLISHED 900 1/0]
C2:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
restart
C:1001 > V:80 S => forward-route R2 [SYN_RECV 60 2/0]
C2:1001 > V:80 S => forward-route R1 [SYN_RECV 60 2/0]
-L
| TCP V:80 rr
| -> R1:80 route 1 2 0 1
| -> R2:80 route 1 2 0 1
-Lc
| TCP 60 ASSURED C:0 V:80 R2:80
| TCP 60 NONE C2:0 V:80 R1:80
| TCP 60 SYN_RECV C2:1000 V:80 R1:80
| TCP 60 SYN_RECV C2:1001 V:80 R1:80
| TCP 60 SYN_RECV C:1001 V:80 R2:80
| TCP 900 ESTABLISHED C:1000 V:80 R2:80
+100
-Lc
| TCP 20 ASSURED C:0 V:80 R2:80
| TCP 800 ESTABLISHED C:1000 V:80 R2:80
+70
-Lc
| TCP 10 ASSURED C:0 V:80 R2:80
| TCP 730 ESTABLISHED C:1000 V:80 R2:80

# a mark's templates, and those of all ports
-A -f 7 -s rr -p 60
-a -f 7 -r R1 -g
-A -t V:0 -s rr -p 60
-a -t V:0 -r R2 -g
-A -t V2:21 -s rr -p 60
-a -t V2:21 -r R3 -g
C:1000 > V:80 S mark 7 => forward-route R1 [SYN_RECV 60 1/0]
C2:1000 > V:80 S => forward-route R2 [SYN_RECV 60 1/0]
C3:1000 > V2:21 S => forward-route R3 [SYN_RECV 60 1/0]
restart
C:1001 > V:81 S mark 7 => forward-route R1 [SYN_RECV 60 2/0]
C2:1001 > V:81 S => forward-route R2 [SYN_RECV 60 2/0]
C3:1001 > V2:2000 S => forward-route R3 [SYN_RECV 60 2/0]

# what was removed while it was away waits for the server, as in a removed one's
-A -t V:80 -s rr
-a -t V:80 -r R1 -m
C:1000 > V:80 S => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
C:1000 > V:80 . => forward-masquerade R1 to R1:80 [ESTABLISHED 900 1/0]
restart without services
C:1000 > V:80 . => pass-no-services [ESTABLISHED 900 1/0]
-A -t V:80 -s rr
C:1000 > V:80 . => drop-destination-removed [ESTABLISHED 900 1/0]
-a -t V:80 -r R1 -m
C:1000 > V:80 . => forward-masquerade R1 to R1:80 [ESTABLISHED 900 1/0]
R1:80 > C:1000 . => forward-reply C from V:80 [ESTABLISHED 900 1/0]
-L
| TCP V:80 rr
| -> R1:80 masquerade 1 1 0 0

# calls go on with their templates
-A -u V:5060 -s rr -p 60 --pe sip
-a -u V:5060 -r R1 -g
-a -u V:5060 -r R2 -g
C:1000 > V:5060 udp payload INVITE%0D%0ACall-ID:%20a1@x%0D%0A => forward-route R2 [UDP 300 0/1]
C:1001 > V:5060 udp payload INVITE%0D%0ACall-ID:%20b2@x%0D%0A => forward-route R1 [UDP 300 0/1]
restart
C:1002 > V:5060 udp payload ACK%0D%0Ai:%20a1@x%0D%0A => forward-route R2 [UDP 300 0/2]
C:1003 > V:5060 udp payload INVITE%0D%0ACall-ID:%20c3@x%0D%0A => forward-route R2 [UDP 300 0/3]
-Lc
| UDP 300 UDP C:1000 V:5060 R2:5060
| UDP 300 UDP C:1001 V:5060 R1:5060
| UDP 300 UDP C:1002 V:5060 R2:5060
| UDP 300 UDP C:1003 V:5060 R2:5060
| UDP 60 NONE C:0 V:5060 R1:5060 sip b2@x
| UDP 60 NONE C:0 V:5060 R2:5060 sip a1@x
| UDP 60 NONE C:0 V:5060 R2:5060 sip c3@x

# expire_nodest_conn forgets those whose server is gone
sysctl expire_nodest_conn=1
-A -t V:80 -s rr
-a -t V:80 -r R1 -m
-a -t V:80 -r R2 -m
C:1000 > V:80 S => forward-masquerade R2 to R2:80 [SYN_RECV 60 1/0]
restart without services
-Lc
| nothing

# time that passed while nobody was there has passed
-A -u V:53 -s rr
-a -u V:53 -r R1 -m
C:1000 > V:53 udp => forward-masquerade R1 to R1:53 [UDP 300 0/1]
+299
restart
-Lc
| UDP 1 UDP C:1000 V:53 R1:53
+2
-Lc
| nothing

# thresholds count what was adopted
-A -t V:80 -s rr
-a -t V:80 -r R1 -m -x 1
C:1000 > V:80 S => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
restart
C:1001 > V:80 S => drop-no-destination; V > C unreachable-port about C:1001 > V:80 S
`);
