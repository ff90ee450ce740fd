import { scenarios } from "../scenario.ts";

/** Connections from beginning to end: states, timeouts and activity (ip_vs_proto_tcp.c, _udp.c, _sctp.c, ip_vs_conn.c). */
export const CONNECTIONS = scenarios(`
# NAT: the client closes first
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
C:1000 > V:80 S      => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
R1:8080 > C:1000 S.  => forward-reply C from V:80 [SYN_RECV 60 1/0]
C:1000 > V:80 .      => forward-masquerade R1 to R1:8080 [ESTABLISHED 900 1/0]
C:1000 > V:80 P. len 300      => forward-masquerade R1 to R1:8080 [ESTABLISHED 900 1/0]
R1:8080 > C:1000 P. len 1500  => forward-reply C from V:80 [ESTABLISHED 900 1/0]
C:1000 > V:80 F.     => forward-masquerade R1 to R1:8080 [CLOSE_WAIT 60 0/1]
R1:8080 > C:1000 .   => forward-reply C from V:80 [CLOSE_WAIT 60 0/1]
R1:8080 > C:1000 F.  => forward-reply C from V:80 [TIME_WAIT 120 0/1]
C:1000 > V:80 .      => forward-masquerade R1 to R1:8080 [TIME_WAIT 120 0/1]
+119
-Lc
| TCP 1 TIME_WAIT C:1000 V:80 R1:8080
+2
-Lc
| nothing
-L
| TCP V:80 rr
| -> R1:8080 masquerade 1 0 0 0

# NAT: the server closes first
-A -t V:80 -s rr
-a -t V:80 -r R1:80 -m
C:1000 > V:80 S    => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
R1:80 > C:1000 S.  => forward-reply C from V:80 [SYN_RECV 60 1/0]
C:1000 > V:80 .    => forward-masquerade R1 to R1:80 [ESTABLISHED 900 1/0]
R1:80 > C:1000 F.  => forward-reply C from V:80 [FIN_WAIT 120 0/1]
C:1000 > V:80 .    => forward-masquerade R1 to R1:80 [FIN_WAIT 120 0/1]
C:1000 > V:80 F.   => forward-masquerade R1 to R1:80 [TIME_WAIT 120 0/1]

# NAT: either side resets; a segment without flags closes, too
-A -t V:80 -s rr
-a -t V:80 -r R1:80 -m
C:1000 > V:80 S    => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
R1:80 > C:1000 R.  => forward-reply C from V:80 [CLOSE 10 0/1]
C:1001 > V:80 S    => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/1]
C:1001 > V:80 .    => forward-masquerade R1 to R1:80 [ESTABLISHED 900 1/1]
C:1001 > V:80 R    => forward-masquerade R1 to R1:80 [CLOSE 10 0/2]
C:1002 > V:80 S    => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/2]
C:1002 > V:80 -    => forward-masquerade R1 to R1:80 [CLOSE 10 0/3]
+11
-Lc
| nothing

# DR: the director sees the client's half only
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
C:1000 > V:80 S   => forward-route R1 [SYN_RECV 60 1/0]
C:1000 > V:80 .   => forward-route R1 [ESTABLISHED 900 1/0]
C:1000 > V:80 P. len 1500 => forward-route R1 [ESTABLISHED 900 1/0]
C:1000 > V:80 F.  => forward-route R1 [FIN_WAIT 120 0/1]
C:1000 > V:80 .   => forward-route R1 [FIN_WAIT 120 0/1]
C:1001 > V:80 S   => forward-route R1 [SYN_RECV 60 1/1]
C:1001 > V:80 .   => forward-route R1 [ESTABLISHED 900 1/1]
C:1001 > V:80 R   => forward-route R1 [CLOSE 10 0/2]
C:1002 > V:80 S   => forward-route R1 [SYN_RECV 60 1/2]
+12
-Lc
| TCP 108 FIN_WAIT C:1000 V:80 R1:80
| TCP 48 SYN_RECV C:1002 V:80 R1:80
+200
-L
| TCP V:80 rr
| -> R1:80 route 1 0 0 0

# TUN: the director sees the client's half only
-A -t V:80 -s rr
-a -t V:80 -r R1 -i
C:1000 > V:80 S   => forward-tunnel R1 in D > R1 ipip [SYN_RECV 60 1/0]
C:1000 > V:80 .   => forward-tunnel R1 in D > R1 ipip [ESTABLISHED 900 1/0]
C:1000 > V:80 F.  => forward-tunnel R1 in D > R1 ipip [FIN_WAIT 120 0/1]
C:1000 > V:80 R   => forward-tunnel R1 in D > R1 ipip [CLOSE 10 0/1]

# DR: once the director sees a reply it counts on seeing all
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
C:1000 > V:80 S   => forward-route R1 [SYN_RECV 60 1/0]
V:80 > C:1000 S.  => pass-reply [SYN_RECV 60 1/0]
C:1000 > V:80 .   => forward-route R1 [ESTABLISHED 900 1/0]
C:1000 > V:80 F.  => forward-route R1 [CLOSE_WAIT 60 0/1]
V:80 > C:1000 F.  => pass-reply [TIME_WAIT 120 0/1]

# UDP has one state, which packets of both directions renew
-A -u V:53 -s rr
-a -u V:53 -r R1:5353 -m
C:1000 > V:53 udp len 100    => forward-masquerade R1 to R1:5353 [UDP 300 0/1]
+200
R1:5353 > C:1000 udp len 80  => forward-reply C from V:53 [UDP 300 0/1]
+200
C:1000 > V:53 udp len 100    => forward-masquerade R1 to R1:5353 [UDP 300 0/1]
+301
R1:5353 > C:1000 udp len 80  => pass-no-service
-L
| UDP V:53 rr
| -> R1:5353 masquerade 1 0 0 0

# SCTP through NAT
-A --sctp-service V:9 -s rr
-a --sctp-service V:9 -r R1:99 -m
C:1000 > V:9 sctp:INIT           => forward-masquerade R1 to R1:99 [INIT1 4 0/1]
R1:99 > C:1000 sctp:INIT-ACK     => forward-reply C from V:9 [C-SENT 61 0/1]
C:1000 > V:9 sctp:COOKIE-ECHO    => forward-masquerade R1 to R1:99 [C-REPLIED 61 0/1]
R1:99 > C:1000 sctp:COOKIE-ACK   => forward-reply C from V:9 [ESTABLISHED 900 1/0]
C:1000 > V:9 sctp:DATA           => forward-masquerade R1 to R1:99 [ESTABLISHED 900 1/0]
C:1000 > V:9 sctp                => forward-masquerade R1 to R1:99 [ESTABLISHED 900 1/0]
C:1000 > V:9 sctp:SHUTDOWN       => forward-masquerade R1 to R1:99 [S-RECEIVED 61 0/1]
R1:99 > C:1000 sctp:SHUTDOWN-ACK => forward-reply C from V:9 [S-ACK-SENT 61 0/1]
C:1000 > V:9 sctp:SHUTDOWN-COMPLETE => forward-masquerade R1 to R1:99 [CLOSED 61 0/1]

# SCTP through DR; an ABORT behind a COOKIE ECHO counts
-A --sctp-service V:9 -s rr
-a --sctp-service V:9 -r R1 -g
C:1000 > V:9 sctp:INIT              => forward-route R1 [INIT1 4 0/1]
C:1000 > V:9 sctp:COOKIE-ECHO       => forward-route R1 [ESTABLISHED 900 1/0]
C:1000 > V:9 sctp:COOKIE-ECHO+DATA  => forward-route R1 [ESTABLISHED 900 1/0]
C:1000 > V:9 sctp:COOKIE-ECHO+ABORT => forward-route R1 [CLOSED 61 0/1]

# the operator's timeouts: 0 keeps one, running timers run on
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
-A -u V:53 -s rr
-a -u V:53 -r R1 -g
C:1000 > V:80 S   => forward-route R1 [SYN_RECV 60 1/0]
C:1000 > V:80 .   => forward-route R1 [ESTABLISHED 900 1/0]
--set 100 0 10
+1
-Lc
| TCP 899 ESTABLISHED C:1000 V:80 R1:80
C:1000 > V:80 .   => forward-route R1 [ESTABLISHED 100 1/0]
C:1000 > V:80 F   => forward-route R1 [FIN_WAIT 120 0/1]
C:1000 > V:53 udp => forward-route R1 [UDP 10 0/1]
--set 0 30 0
C:1000 > V:80 F   => forward-route R1 [FIN_WAIT 30 0/1]

# a client may talk to two services and from two ports at once
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
-A -t V2:80 -s rr
-a -t V2:80 -r R2 -g
C:1000 > V:80 S  => forward-route R1 [SYN_RECV 60 1/0]
C:1000 > V2:80 S => forward-route R2 [SYN_RECV 60 1/0]
C2:1000 > V:80 S => forward-route R1 [SYN_RECV 60 2/0]
C:1001 > V:80 S  => forward-route R1 [SYN_RECV 60 3/0]
C:1000 > V:80 .  => forward-route R1 [ESTABLISHED 900 3/0]

# one-packet scheduling schedules every datagram and leaves no entry [inet]
-A -u V:53 -s rr -o
-a -u V:53 -r R1 -m
-a -u V:53 -r R2 -m
C:1000 > V:53 udp => forward-masquerade R2 to R2:53
C:1000 > V:53 udp => forward-masquerade R1 to R1:53
C:1000 > V:53 udp => forward-masquerade R2 to R2:53
R2:53 > C:1000 udp => pass-no-service      -- nobody knows whose reply it is
+2
-L --stats
| UDP V:53 3 in 3/84 out 0/0
| -> R1:53 1 in 1/28 out 0/0
| -> R2:53 2 in 2/56 out 0/0
-L
| UDP V:53 rr
| -> R1:53 masquerade 1 0 0 0
| -> R2:53 masquerade 1 0 0 0

# one-packet scheduling of a mark leaves TCP alone
-A -f 7 -s rr -o
-a -f 7 -r R1 -g
-a -f 7 -r R2 -g
C:1000 > V:80 S mark 7   => forward-route R2 [SYN_RECV 60 1/0]
C:1000 > V:80 . mark 7   => forward-route R2 [ESTABLISHED 900 1/0]
C:1000 > V:53 udp mark 7 => forward-route R1
C:1000 > V:53 udp mark 7 => forward-route R2
`);

/** A client's port used again: conn_reuse_mode (ip_vs_in_hook()). */
export const REUSE = scenarios(
  [
    ["0", "R2 [SYN_RECV 60 1/0]"],
    ["1", "R2 [SYN_RECV 60 1/0]"],
    ["2", "R1 [SYN_RECV 60 1/0]"],
    ["3", "R1 [SYN_RECV 60 1/0]"],
  ]
    .map(
      ([mode, finWait]) => `
# DR, conn_reuse_mode ${mode}: a SYN on an entry in FIN_WAIT
sysctl conn_reuse_mode=${mode}
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
-a -t V:80 -r R2 -g
C:1000 > V:80 S => forward-route R2 [SYN_RECV 60 1/0]
C:1000 > V:80 . => forward-route R2 [ESTABLISHED 900 1/0]
C:1000 > V:80 F => forward-route R2 [FIN_WAIT 120 0/1]
C:1000 > V:80 S => forward-route ${finWait}

# NAT, conn_reuse_mode ${mode}: a SYN on an entry in TIME_WAIT
sysctl conn_reuse_mode=${mode}
-A -t V:80 -s rr
-a -t V:80 -r R1 -m
-a -t V:80 -r R2 -m
C:1000 > V:80 S   => forward-masquerade R2 to R2:80 [SYN_RECV 60 1/0]
R2:80 > C:1000 S. => forward-reply C from V:80 [SYN_RECV 60 1/0]
C:1000 > V:80 F   => forward-masquerade R2 to R2:80 [TIME_WAIT 120 0/1]
C:1000 > V:80 S   => forward-masquerade ${mode === "0" ? "R2 to R2:80" : "R1 to R1:80"} [SYN_RECV 60 1/0]

# NAT, conn_reuse_mode ${mode}: a SYN on an entry in FIN_WAIT, CLOSE_WAIT or ESTABLISHED stays
sysctl conn_reuse_mode=${mode}
-A -t V:80 -s rr
-a -t V:80 -r R1 -m
-a -t V:80 -r R2 -m
C:1000 > V:80 S   => forward-masquerade R2 to R2:80 [SYN_RECV 60 1/0]
C:1000 > V:80 .   => forward-masquerade R2 to R2:80 [ESTABLISHED 900 1/0]
C:1000 > V:80 S   => forward-masquerade R2 to R2:80 [ESTABLISHED 900 1/0]
R2:80 > C:1000 F  => forward-reply C from V:80 [FIN_WAIT 120 0/1]
C:1000 > V:80 S   => forward-masquerade R2 to R2:80 [SYN_RECV 60 1/0]
C:1001 > V:80 S   => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
C:1001 > V:80 .   => forward-masquerade R1 to R1:80 [ESTABLISHED 900 1/0]
C:1001 > V:80 F   => forward-masquerade R1 to R1:80 [CLOSE_WAIT 60 0/1]
C:1001 > V:80 S   => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]

# conn_reuse_mode ${mode}: a SYN on an entry in CLOSE, an INIT on one in CLOSED
sysctl conn_reuse_mode=${mode}
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
-a -t V:80 -r R2 -g
-A --sctp-service V:9 -s rr
-a --sctp-service V:9 -r R1 -g
-a --sctp-service V:9 -r R2 -g
C:1000 > V:80 S => forward-route R2 [SYN_RECV 60 1/0]
C:1000 > V:80 . => forward-route R2 [ESTABLISHED 900 1/0]
C:1000 > V:80 R => forward-route R2 [CLOSE 10 0/1]
C:1000 > V:80 S => forward-route ${mode === "0" ? "R2" : "R1"} [SYN_RECV 60 1/0]
C:1000 > V:9 sctp:INIT  => forward-route R2 [INIT1 4 0/1]
C:1000 > V:9 sctp:ABORT => forward-route R2 [CLOSED 61 0/1]
C:1000 > V:9 sctp:INIT  => forward-route ${mode === "0" ? "R2 [INIT 61 0/1]" : "R1 [INIT1 4 0/1]"}

# conn_reuse_mode ${mode}: persistent connections stay
sysctl conn_reuse_mode=${mode}
-A -t V:80 -s rr -p 60
-a -t V:80 -r R1 -g
-a -t V:80 -r R2 -g
C:1000 > V:80 S => forward-route R2 [SYN_RECV 60 1/0]
C:1000 > V:80 . => forward-route R2 [ESTABLISHED 900 1/0]
C:1000 > V:80 R => forward-route R2 [CLOSE 10 0/1]
C:1000 > V:80 S => forward-route R2 [SYN_RECV 60 1/0]

# expire_nodest_conn, conn_reuse_mode ${mode}: a SYN leaves a destination of weight 0, whatever the state
sysctl conn_reuse_mode=${mode}
sysctl expire_nodest_conn=1
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
-a -t V:80 -r R2 -g
C:1000 > V:80 S => forward-route R2 [SYN_RECV 60 1/0]
C:1000 > V:80 . => forward-route R2 [ESTABLISHED 900 1/0]
-e -t V:80 -r R2 -g -w 0
C:1000 > V:80 . => forward-route R2 [ESTABLISHED 900 1/0]
C:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]
-Lc
| TCP 60 SYN_RECV C:1000 V:80 R1:80
`,
    )
    .join(""),
);
