import { scenarios } from "../scenario.ts";

/** What IPVS does at each of netfilter's hooks, where the host has already had its part: ip_vs_ops[] in ip_vs_core.c. */
export const HOOKS = scenarios(`
# LOCAL_IN: the host has said that the packet is its own, whoever sent it and wherever it goes
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
-A -f 7 -s rr
-a -f 7 -r R2:0 -g
C:1000 > V:80 S at local-in => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
C:1000 > Q:80 S mark 7 => pass-not-local
C:1000 > Q:80 S mark 7 at local-in => forward-route R2 [SYN_RECV 60 1/0]
C:1000 > Q:80 . at local-in => forward-route R2 [ESTABLISHED 900 1/0]
C:1000 > Q:80 . => pass-not-local [ESTABLISHED 900 1/0]
C:1000 > Q:81 . at local-in => pass-no-service
host disown V
C:1002 > V:80 S at local-in => forward-masquerade R1 to R1:8080 [SYN_RECV 60 2/0]
host forwarding off
C:1003 > V:80 S at local-in => forward-masquerade R1 to R1:8080 [SYN_RECV 60 3/0]

# LOCAL_IN: nobody there, for an address of the host's and one that only a mark brought [inet]
-A -f 7 -s rr
C:1000 > V:80 S mark 7 at local-in => drop-no-destination; V > C unreachable-port about C:1000 > V:80 S
C:1000 > Q:80 S mark 7 at local-in => drop-no-destination
127.0.0.1:1000 > V:80 S mark 7 at local-in => drop-no-destination; V > 127.0.0.1 unreachable-port about 127.0.0.1:1000 > V:80 S

# LOCAL_IN: nobody there, for an address of the host's and one that only a mark brought [inet6]
-A -f 7 -s rr
C:1000 > V:80 S mark 7 at local-in => drop-no-destination; V > C unreachable-port about C:1000 > V:80 S
C:1000 > Q:80 S mark 7 at local-in => drop-no-destination; E > C unreachable-port about C:1000 > Q:80 S
[::1]:1000 > V:80 S mark 7 at local-in => drop-no-destination; V > ::1 unreachable-port about [::1]:1000 > V:80 S

# LOCAL_IN: a client on the director itself
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
-A -t V:81 -s rr
-a -t V:81 -r R1 -g
V:1000 > V:80 S at local-in => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
R1:8080 > V:1000 S. at local-in => pass-local-destination from V:80 [SYN_RECV 60 1/0]
V:1000 > V:80 . at local-in => forward-masquerade R1 to R1:8080 [ESTABLISHED 900 1/0]
Y > V time-exceeded at local-in about V:1000 > R1:8080 . => pass-local-destination V > V time-exceeded about V:1000 > V:80 .
V:1001 > V:81 S at local-in => forward-route R1 [SYN_RECV 60 1/0]
host lose R1
V:1002 > V:80 S at local-in => drop-unreachable [SYN_RECV 60 2/0]; V > V unreachable-host about V:1002 > V:80 S

# LOCAL_IN: a client on the director itself may reach a server on the loopback [inet]
-A -t V:80 -s rr
-a -t V:80 -r 127.0.0.1:8080 -m
V:1000 > V:80 S at local-in => pass-local-destination to 127.0.0.1:8080 [SYN_RECV 60 1/0]
C:1000 > V:80 S at local-in => drop-crosses-local [SYN_RECV 60 2/0]

# LOCAL_IN: what a server says without an entry
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
-A -u V:5060 -p 50 --pe sip
-a -u V:5060 -r R1 -m
R1:8080 > D:1000 . at local-in => pass-no-service
R1:5060 > D:1002 udp payload INVITE%0D%0AVia:%20x%0D%0Ai:%20s@x%0D%0A at local-in => pass-no-service
sysctl nat_icmp_send=1
R1:8080 > D:1000 . at local-in => drop-no-destination; D > R1 unreachable-port about R1:8080 > D:1000 .

# LOCAL_IN: SCTP without a chunk
-A --sctp-service V:9
-a --sctp-service V:9 -r R1 -g
C:1000 > Q:9 sctp at local-in => drop-malformed

# LOCAL_IN: ICMP errors about replies go to the server, also those to what a mark brought
-A -f 7 -s rr
-a -f 7 -r R1:8080 -m
C:1000 > Q:80 S mark 7 at local-in => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
X > Q unreachable-host mark 7 at local-in about Q:80 > C:1000 . => forward-icmp-request R1 X > R1 unreachable-host ttl 63 about R1:8080 > C:1000 .
X > Q unreachable-host ttl 1 mark 7 at local-in about Q:80 > C:1000 . => drop-time-exceeded

# LOCAL_IN: errors about tunnels [inet]
-A -t V:80 -s rr
-a -t V:80 -r R3 -i --tun-type gre
C:998 > V:80 S at local-in => forward-tunnel R3 in D > R3 gre [SYN_RECV 60 1/0]
Y > D too-big mtu 1000 at forward about D > R3 in gre C:998 > V:80 S df => pass-icmp-unrelated
Y > D too-big mtu 1000 at local-in about D > R3 in gre C:998 > V:80 S df => forward-icmp-reply; V > C too-big mtu 976 about C:998 > V:80 S df
Y > D too-big mtu 1000 at local-in about D > R3 in gre C:998 > V:80 S => drop-path-mtu-learnt

# FORWARD: replies of masqueraded servers; the host has checked them and spent of their time to live
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
-A -t V:81 -s rr
-a -t V:81 -r R2 -g
C:1000 > V:80 S at local-in => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
C:1000 > V:81 S at local-in => forward-route R2 [SYN_RECV 60 1/0]
R1:8080 > C:1000 S. ttl 63 at forward => forward-reply C from V:80 ttl 63 [SYN_RECV 60 1/0]
R1:8080 > C:1000 . ttl 1 at forward => forward-reply C from V:80 ttl 1 [ESTABLISHED 900 1/0]
V:81 > C:1000 S. at forward => pass-reply [SYN_RECV 60 1/0]
R1:8081 > C:1000 . at forward => pass-not-local
host forwarding off
R1:8080 > C:1000 . at forward => forward-reply C from V:80 ttl 64 [ESTABLISHED 900 1/0]

# FORWARD: no client's packet opens a connection or goes on in one
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
C:1000 > V:80 S at forward => pass-not-local
C:1000 > V:80 S at local-in => forward-route R1 [SYN_RECV 60 1/0]
C:1000 > V:80 . at forward => pass-not-local [SYN_RECV 60 1/0]

# FORWARD: what a server says without an entry
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
-A -u V:5060 -p 50 --pe sip
-a -u V:5060 -r R1 -m
R1:8080 > C:1000 . at forward => pass-not-local
R1:5060 > C:1002 udp payload INVITE%0D%0AVia:%20x%0D%0Ai:%20s@x%0D%0A ttl 1 at forward => forward-reply C from V:5060 ttl 1 [UDP 300 0/1]
sysctl nat_icmp_send=1
R1:8080 > C:1000 . at forward => drop-no-destination; D > R1 unreachable-port about R1:8080 > C:1000 .

# FORWARD: fragments are put together and go on as what they are [inet]
-A -u V:53 -s rr
-a -u V:53 -r R1:5353 -m
C:1000 > V:53 udp len 2000 in 1500 at local-in => hold-fragment, forward-masquerade R1 to R1:5353 parts 1500 520 [UDP 300 0/1]
R1:5353 > C:1000 udp len 2000 in 1500 at forward => hold-fragment, forward-reply C from V:53 ttl 64 parts 1500 520 [UDP 300 0/1]

# FORWARD: with snat_reroute a reply goes by the route of the service's address, without it by that of the server's
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
C:1000 > V:80 S at local-in => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
R1:8080 > C:1000 S. at forward => forward-reply C from V:80 ttl 64 [SYN_RECV 60 1/0]
host via V X
R1:8080 > C:1000 . at forward => forward-reply X from V:80 ttl 64 [ESTABLISHED 900 1/0]
R1:8080 > C:1000 . => forward-reply X from V:80 [ESTABLISHED 900 1/0]
host via mark-7 R3
R1:8080 > C:1000 . mark 7 at forward => forward-reply R3 from V:80 ttl 64 [ESTABLISHED 900 1/0]
sysctl snat_reroute=0
R1:8080 > C:1000 . at forward => forward-reply C from V:80 ttl 64 [ESTABLISHED 900 1/0]
R1:8080 > C:1000 . => forward-reply C from V:80 [ESTABLISHED 900 1/0]
host via R1 Y
R1:8080 > C:1000 . at forward => forward-reply Y from V:80 ttl 64 [ESTABLISHED 900 1/0]
R1:8080 > C:1000 . => forward-reply Y from V:80 [ESTABLISHED 900 1/0]
sysctl snat_reroute=1
host via V nowhere
R1:8080 > C:1000 . at forward => drop-unreachable [ESTABLISHED 900 1/0]
R1:8080 > C:1000 . => drop-unreachable [ESTABLISHED 900 1/0]
R1 > C unreachable-port at forward about C:1000 > R1:8080 . => drop-unreachable

# FORWARD: the host's MTU holds for the new route, too: what does not fit is told to the server in the service's name [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
C:1000 > V:80 S at local-in => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
host via V X
host mtu X 1000
R1:8080 > C:1000 . len 1000 df at forward => forward-reply X from V:80 ttl 64 [ESTABLISHED 900 1/0]
R1:8080 > C:1000 . len 1001 at forward => forward-reply X from V:80 ttl 64 parts 996 25 [ESTABLISHED 900 1/0]
R1:8080 > C:1000 . len 1001 df at forward => drop-packet-too-big [ESTABLISHED 900 1/0]; V > R1 too-big mtu 1000 about R1:8080 > C:1000 . len 1001 df
R1:8080 > C:1000 . len 1001 df => drop-packet-too-big [ESTABLISHED 900 1/0]; V > R1 too-big mtu 1000 about R1:8080 > C:1000 . len 1001 ttl 63 df
R1:8080 > C:1000 . len 4000 gso 1448 partial df at forward => drop-packet-too-big [ESTABLISHED 900 1/0]; V > R1 too-big mtu 1000 about R1:8080 > C:1000 . len 4000 df
R1:8080 > C:1000 . len 4000 gso 900 partial df at forward => forward-reply X from V:80 ttl 64 [ESTABLISHED 900 1/0]
sysctl snat_reroute=0
R1:8080 > C:1000 . len 1001 df at forward => forward-reply C from V:80 ttl 64 [ESTABLISHED 900 1/0]

# FORWARD: the host's MTU holds for the new route, too: what does not fit is told to the server in the service's name [inet6]
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
C:1000 > V:80 S at local-in => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
host via V X
host mtu X 1300
R1:8080 > C:1000 . len 1300 at forward => forward-reply X from V:80 ttl 64 [ESTABLISHED 900 1/0]
R1:8080 > C:1000 . len 1301 at forward => drop-packet-too-big [ESTABLISHED 900 1/0]; V > R1 too-big mtu 1300 about R1:8080 > C:1000 . len 1301

# FORWARD: ICMP errors, both ways
-A -f 7 -s rr
-a -f 7 -r R1:8080 -m
C:1000 > Q:80 S mark 7 at local-in => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
R1 > C unreachable-port at forward about C:1000 > R1:8080 S => forward-icmp-reply C Q > C unreachable-port about C:1000 > Q:80 S
Y > C time-exceeded ttl 1 at forward about C:1000 > R1:8080 S => forward-icmp-reply C Q > C time-exceeded ttl 1 about C:1000 > Q:80 S
X > Q unreachable-host at forward about Q:80 > C:1000 . => forward-icmp-request R1 X > R1 unreachable-host ttl 63 about R1:8080 > C:1000 .
X > Q unreachable-host ttl 1 at forward about Q:80 > C:1000 . => drop-time-exceeded
X > Q unreachable-host at forward about Q:81 > C:1000 . => pass-icmp-unrelated
host via Q nowhere
R1 > C unreachable-port at forward about C:1000 > R1:8080 S => drop-unreachable

# FORWARD: errors about replies do not go to servers on the host itself
-A -f 7 -s rr
-a -f 7 -r R1:0 -m
-a -f 7 -r R2:0 -g
C:1000 > Q:80 S mark 7 at local-in => forward-route R2 [SYN_RECV 60 1/0]
C:1001 > Q:80 S mark 7 at local-in => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
host own R1
host own R2
X > Q unreachable-host at forward about Q:80 > C:1000 . => drop-crosses-local
X > Q unreachable-host about Q:80 > C:1000 . => drop-crosses-local
X > Q unreachable-host at forward about Q:80 > C:1001 . => drop-crosses-local
X > Q unreachable-host mark 7 at local-in about Q:80 > C:1000 . => pass-local-destination
X > Q unreachable-host mark 7 at local-in about Q:80 > C:1001 . => pass-local-destination X > R1 unreachable-host about R1:80 > C:1001 .

# LOCAL_OUT: a masqueraded server on the director
host own R1
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
-A -u V:53 -s rr
-a -u V:53 -r R1:5353 -m
C:1000 > V:80 S at local-in => pass-local-destination to R1:8080 [SYN_RECV 60 1/0]
R1:8080 > C:1000 S. at local-out => pass-reply-rewritten from V:80 [SYN_RECV 60 1/0]
R1:8080 > C:1000 . len 3000 df at local-out => pass-reply-rewritten from V:80 [ESTABLISHED 900 1/0]
R1:8080 > C:1000 . len 20000 gso 1440 partial df at local-out => pass-reply-rewritten from V:80 [ESTABLISHED 900 1/0]
C:1000 > V:53 udp at local-in => pass-local-destination to R1:5353 [UDP 300 0/1]
R1:5353 > C:1000 udp nocsum at local-out => pass-reply-rewritten from V:53 [UDP 300 0/1]
R1 > C unreachable-port at local-out about C:1000 > R1:5353 udp => pass-reply-rewritten V > C unreachable-port about C:1000 > V:53 udp
R1:8081 > C:1000 . at local-out => pass-no-service
host via V nowhere
R1:8080 > C:1000 . at local-out => drop-unreachable [ESTABLISHED 900 1/0]
host forwarding off
host via V X
R1:8080 > C:1000 . at local-out => pass-reply-rewritten from V:80 [ESTABLISHED 900 1/0]
sysctl nat_icmp_send=1
R1:8080 > C:1001 . at local-out => drop-no-destination; R1 > R1 unreachable-port about R1:8080 > C:1001 .

# LOCAL_OUT: server and client on the director
host own R1
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
V:1000 > V:80 S at local-in => pass-local-destination to R1:8080 [SYN_RECV 60 1/0]
R1:8080 > V:1000 S. at local-out => pass-reply-rewritten from V:80 [SYN_RECV 60 1/0]

# LOCAL_OUT: direct routing to the director itself: replies are seen
-A -t V:80 -s rr
-a -t V:80 -r D -g
C:1000 > V:80 S at local-in => pass-local-destination [SYN_RECV 60 1/0]
V:80 > C:1000 S. at local-out => pass-reply [SYN_RECV 60 1/0]

# LOCAL_OUT: the host's own errors about masqueraded servers that do not answer are the service's
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
-A -t V:81 -s rr
-a -t V:81 -r R1 -g
C:1000 > V:80 S at local-in => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
C:1000 > V:81 S at local-in => forward-route R1 [SYN_RECV 60 1/0]
E > C unreachable-host at local-out about C:1000 > R1:8080 S ttl 63 => pass-reply-rewritten V > C unreachable-host about C:1000 > V:80 S ttl 63
E > C unreachable-host at local-out about C:1000 > V:81 S ttl 63 => pass-reply
E > C unreachable-host at local-out about C:1001 > R1:8080 S ttl 63 => pass-icmp-unrelated

# LOCAL_OUT: the host's own errors about tunnels [inet]
-A -t V:80 -s rr
-a -t V:80 -r R3 -i
C:998 > V:80 S at local-in => forward-tunnel R3 in D > R3 ipip [SYN_RECV 60 1/0]
D > D unreachable-host at local-out about D > R3 in ipip C:998 > V:80 S df => forward-icmp-reply; V > C unreachable-host about C:998 > V:80 S df
host telling off
D > D unreachable-host at local-out about D > R3 in ipip C:998 > V:80 S df => forward-icmp-reply
+2
-L --stats
| TCP V:80 1 in 1/40 out 3/148
| -> R3:80 1 in 1/40 out 3/148

# LOCAL_OUT: the host's own errors about replies go to the server [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
C:1000 > V:80 S at local-in => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
V > V too-big mtu 1000 at local-out about V:80 > C:1000 . len 1500 df => forward-icmp-request R1 V > R1 too-big mtu 1000 ttl 63 about R1:8080 > C:1000 . len 1500 df

# LOCAL_OUT: clients on the director
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
-A -f 7 -s rr
-a -f 7 -r D:0 -g
-A -f 8 -s rr
-a -f 8 -r D:0 -m
-A -f 9 -s rr
V:1000 > V:80 S at local-out => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
E:1000 > Q:80 S at local-out => pass-no-service
E:1001 > Q:80 S mark 7 at local-out => drop-crosses-local [SYN_RECV 60 1/0]
E:1002 > V:82 S mark 7 at local-out => pass-local-destination [SYN_RECV 60 2/0]
E:1003 > Q:80 S mark 8 at local-out => pass-local-destination to D:80 [SYN_RECV 60 1/0]
E:1004 > Q:80 S mark 9 at local-out => drop-no-destination; E > E unreachable-port about E:1004 > Q:80 S

# at each hook a reply and an error count once, and what cannot be routed anew does not [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
C:1000 > V:80 S at local-in => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
R1:8080 > C:1000 S. at forward => forward-reply C from V:80 ttl 64 [SYN_RECV 60 1/0]
R1:8080 > D:1000 . at local-in => pass-no-service
R1:8080 > C:1000 . at local-out => pass-reply-rewritten from V:80 [ESTABLISHED 900 1/0]
R1 > C unreachable-port at forward about C:1000 > R1:8080 . => forward-icmp-reply C V > C unreachable-port about C:1000 > V:80 .
E > C unreachable-host at local-out about C:1000 > R1:8080 . => pass-reply-rewritten V > C unreachable-host about C:1000 > V:80 .
C > V unreachable-port at local-in about V:80 > C:1000 . => forward-icmp-request R1 C > R1 unreachable-port ttl 63 about R1:8080 > C:1000 .
+2
-L --stats
| TCP V:80 1 in 2/108 out 4/216
| -> R1:8080 1 in 2/108 out 4/216
host via V nowhere
R1:8080 > C:1000 . at forward => drop-unreachable [ESTABLISHED 898 1/0]
R1 > C unreachable-port at forward about C:1000 > R1:8080 . => drop-unreachable
+2
-L --stats
| TCP V:80 1 in 2/108 out 4/216
| -> R1:8080 1 in 2/108 out 4/216
host via V X
host mtu X 1000
R1:8080 > C:1000 . len 1400 df at forward => drop-packet-too-big [ESTABLISHED 900 1/0]; V > R1 too-big mtu 1000 about R1:8080 > C:1000 . len 1400 df
+2
-L --stats
| TCP V:80 1 in 3/684 out 5/1616
| -> R1:8080 1 in 3/684 out 5/1616

# the host's limits on ICMP errors: what may not be told counts nowhere [inet]
-A -u V:53 -s rr
-a -u V:53 -r R1 -g
host telling off
C:1000 > V:53 udp ttl 1 => drop-time-exceeded [UDP 300 0/1]
C:1000 > V:54 udp => pass-no-service
-e -u V:53 -r R1 -g -w 0
C:1001 > V:53 udp at local-in => drop-no-destination
+2
-L --stats
| UDP V:53 1 in 1/28 out 0/0
| -> R1:53 1 in 1/28 out 0/0
`);
