import { scenarios } from "../scenario.ts";

/** Counters (ip_vs_est.c). What listings show is two seconds old at most. */
export const COUNTERS = scenarios(`
# packets and bytes of IP in both directions, shown at the next estimation [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1 -m
-a -t V:80 -r R2 -m
C:1000 > V:80 S            => forward-masquerade R2 to R2:80 [SYN_RECV 60 1/0]
R2:80 > C:1000 S.          => forward-reply C from V:80 [SYN_RECV 60 1/0]
C:1000 > V:80 P. len 140   => forward-masquerade R2 to R2:80 [ESTABLISHED 900 1/0]
C:1001 > V:80 S            => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
-L --stats
| TCP V:80 0 in 0/0 out 0/0
| -> R1:80 0 in 0/0 out 0/0
| -> R2:80 0 in 0/0 out 0/0
+2
-L --stats
| TCP V:80 2 in 3/220 out 1/40
| -> R1:80 1 in 1/40 out 0/0
| -> R2:80 1 in 2/180 out 1/40

# bytes are counted before encapsulation, and of packets that then cannot go; so is what is said about them [inet]
-A -u V:53 -s rr
-a -u V:53 -r R1 -i
C:1000 > V:53 udp len 128       => forward-tunnel R1 in D > R1 ipip [UDP 300 0/1]
C:1000 > V:53 udp len 128 ttl 1 => drop-time-exceeded [UDP 300 0/1]; V > C time-exceeded about C:1000 > V:53 udp len 128 ttl 1
+2
-L --stats
| UDP V:53 1 in 2/256 out 1/156
| -> R1:53 1 in 2/256 out 1/156

# what is said about a masqueraded connection's packet is not counted: its quote is no request of a real server's [inet]
-A -u V:53 -s rr
-a -u V:53 -r R1 -m
C:1000 > V:53 udp len 128 ttl 1 => drop-time-exceeded [UDP 300 0/1]; V > C time-exceeded about C:1000 > V:53 udp len 128 ttl 1
+2
-L --stats
| UDP V:53 1 in 1/128 out 0/0
| -> R1:53 1 in 1/128 out 0/0

# an error about a tunnel's packet is counted as it came, and as the client gets it [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1 -i
C:1000 > V:80 S df => forward-tunnel R1 in D > R1 ipip df [SYN_RECV 60 1/0]
Y > D unreachable-host about D > R1 in ipip C:1000 > V:80 S df => forward-icmp-reply; V > C unreachable-host about C:1000 > V:80 S df
+2
-L --stats
| TCP V:80 1 in 1/40 out 2/108
| -> R1:80 1 in 1/40 out 2/108

# -Z restarts what is shown, of one service or of all [inet]
-A -u V:53 -s rr
-a -u V:53 -r R1 -g
-A -u V:54 -s rr
-a -u V:54 -r R1 -g
C:1000 > V:53 udp => forward-route R1 [UDP 300 0/1]
C:1000 > V:54 udp => forward-route R1 [UDP 300 0/1]
+2
-Z -u V:53
-Z -u V:99 => no-such-service
C:1000 > V:53 udp => forward-route R1 [UDP 300 0/1]
+2
-L --stats
| UDP V:53 0 in 1/28 out 0/0
| -> R1:53 0 in 1/28 out 0/0
| UDP V:54 1 in 1/28 out 0/0
| -> R1:54 1 in 1/28 out 0/0
-Z
+2
-L --stats
| UDP V:53 0 in 0/0 out 0/0
| -> R1:53 0 in 0/0 out 0/0
| UDP V:54 0 in 0/0 out 0/0
| -> R1:54 0 in 0/0 out 0/0

# the total is of all services, removed ones included [inet]
-A -u V:53 -s rr
-a -u V:53 -r R1 -m
-A -u V:54 -s rr
-a -u V:54 -r R1 -m
C:1000 > V:53 udp => forward-masquerade R1 to R1:53 [UDP 300 0/1]
R1:53 > C:1000 udp => forward-reply C from V:53 [UDP 300 0/1]
-D -u V:53
C:1000 > V:54 udp => forward-masquerade R1 to R1:54 [UDP 300 0/1]
-L --total
| 0 in 0/0 out 0/0
+2
-L --total
| 2 in 2/56 out 1/28
-Z -u V:54
+2
-L --total
| 2 in 2/56 out 1/28
-Z
-L --total
| 0 in 0/0 out 0/0

# a removed destination counts no more, nor does one through whose template nothing goes [inet]
-A -u V:53 -s rr
-a -u V:53 -r R1 -g
C:1000 > V:53 udp => forward-route R1 [UDP 300 0/1]
-d -u V:53 -r R1
C:1000 > V:53 udp => drop-destination-removed [UDP 300 0/1]
-a -u V:53 -r R1 -g
+2
-L --stats
| UDP V:53 1 in 1/28 out 0/0
| -> R1:53 1 in 1/28 out 0/0
`);
