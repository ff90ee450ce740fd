import { scenarios } from "../scenario.ts";

/** What happens to packets on their way out (ip_vs_xmit.c). Checksums and bytes are always checked. */
export const TRANSMISSION = scenarios(`
# NAT rewrites addresses, ports and checksums of TCP, UDP and SCTP
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
-A -u V:53 -s rr
-a -u V:53 -r R1:5353 -m
-A --sctp-service V:9 -s rr
-a --sctp-service V:9 -r R1:99 -m
C:1000 > V:80 S len 1001       => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
C:1000 > V:53 udp len 1001     => forward-masquerade R1 to R1:5353 [UDP 300 0/1]
C:1000 > V:9 sctp:INIT         => forward-masquerade R1 to R1:99 [INIT1 4 0/1]
R1:8080 > C:1000 S. len 1001   => forward-reply C from V:80 [SYN_RECV 60 1/0]
R1:5353 > C:1000 udp len 1001  => forward-reply C from V:53 [UDP 300 0/1]
R1:99 > C:1000 sctp:INIT-ACK   => forward-reply C from V:9 [C-SENT 61 0/1]

# NAT to the service's own port
-A -t V:80 -s rr
-a -t V:80 -r R1:80 -m
-A --sctp-service V:9 -s rr
-a --sctp-service V:9 -r R1:9 -m
C:1000 > V:80 S          => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
C:1000 > V:9 sctp:INIT   => forward-masquerade R1 to R1:9 [INIT1 4 0/1]

# NAT gives a UDP datagram without a checksum one
-A -u V:53 -s rr
-a -u V:53 -r R1:5353 -m
C:1000 > V:53 udp len 101 nocsum      => forward-masquerade R1 to R1:5353 [UDP 300 0/1]
R1:5353 > C:1000 udp len 101 nocsum   => forward-reply C from V:53 [UDP 300 0/1]

# NAT keeps partial checksums partial and right
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
-A -u V:53 -s rr
-a -u V:53 -r R1:5353 -m
C:1000 > V:80 S len 1001 partial      => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
R1:8080 > C:1000 S. len 1001 partial  => forward-reply C from V:80 [SYN_RECV 60 1/0]
C:1000 > V:53 udp len 1001 partial    => forward-masquerade R1 to R1:5353 [UDP 300 0/1]
R1:5353 > C:1000 udp len 1001 partial => forward-reply C from V:53 [UDP 300 0/1]

# DR changes the time to live alone
-A -u V:53 -s rr
-a -u V:53 -r R1 -g
C:1000 > V:53 udp len 101              => forward-route R1 [UDP 300 0/1]
C:1000 > V:53 udp len 101 nocsum       => forward-route R1 [UDP 300 0/1]
C:1000 > V:53 udp len 101 badcsum      => forward-route R1 [UDP 300 0/1]
C:1000 > V:53 udp len 101 partial      => forward-route R1 [UDP 300 0/1]
C:1000 > V:53 udp len 101 ttl 255 tos 3 => forward-route R1 [UDP 300 0/1]
C:1000 > V:53 udp len 101 ttl 2        => forward-route R1 [UDP 300 0/1]

# a time to live of 1 ends here, and the client is told from the VIP
-A -t V:80 -s rr
-a -t V:80 -r R1 -m
-A -t V:81 -s rr
-a -t V:81 -r R1 -g
-A -t V:82 -s rr
-a -t V:82 -r R1 -i
C:1000 > V:80 S ttl 1  => drop-time-exceeded [SYN_RECV 60 1/0]; V > C time-exceeded about C:1000 > V:80 S ttl 1
C:1000 > V:81 S ttl 1  => drop-time-exceeded [SYN_RECV 60 1/0]; V > C time-exceeded about C:1000 > V:81 S ttl 1
C:1000 > V:82 S ttl 0  => drop-time-exceeded [SYN_RECV 60 1/0]; V > C time-exceeded about C:1000 > V:82 S ttl 0

# a reply's time to live ends here as in any router: it counts nowhere
-A -t V:80 -s rr
-a -t V:80 -r R1 -m
C:1000 > V:80 S         => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
R1:80 > C:1000 R ttl 1  => drop-time-exceeded [SYN_RECV 60 1/0]; D > R1 time-exceeded about R1:80 > C:1000 R ttl 1

# what does not fit and must not be fragmented is refused with the MTU [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1 -m
-A -t V:81 -s rr
-a -t V:81 -r R1 -g
host mtu R1 1400
C:1000 > V:80 S len 1400 df  => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
C:1000 > V:80 . len 1401 df  => drop-packet-too-big [ESTABLISHED 900 1/0]; V > C too-big mtu 1400 about C:1000 > V:80 . len 1401 ttl 63 df
C:1000 > V:81 S len 1401 df  => drop-packet-too-big [SYN_RECV 60 1/0]; V > C too-big mtu 1400 about C:1000 > V:81 S len 1401 ttl 63 df
host mtu C 1300
R1:80 > C:1000 . len 1301 df => drop-packet-too-big [ESTABLISHED 900 1/0]; D > R1 too-big mtu 1300 about R1:80 > C:1000 . len 1301 df

# what does not fit is fragmented where it may be [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
-A -t V:81 -s rr
-a -t V:81 -r R1 -g
host mtu R1 1400
C:1000 > V:80 S len 1500         => forward-masquerade R1 to R1:8080 parts 1396 124 [SYN_RECV 60 1/0]
C:1000 > V:81 S len 1500 partial => forward-route R1 parts 1396 124 [SYN_RECV 60 1/0]
host mtu C 1300
R1:8080 > C:1000 . len 1500      => forward-reply C from V:80 parts 1300 220 [ESTABLISHED 900 1/0]

# IPv6: what does not fit is always refused [inet6]
-A -t V:80 -s rr
-a -t V:80 -r R1 -m
-A -t V:81 -s rr
-a -t V:81 -r R1 -g
host mtu R1 1400
C:1000 > V:80 S len 1401  => drop-packet-too-big [SYN_RECV 60 1/0]; V > C too-big mtu 1400 about C:1000 > V:80 S len 1401 ttl 63
C:1000 > V:81 S len 1401  => drop-packet-too-big [SYN_RECV 60 1/0]; V > C too-big mtu 1400 about C:1000 > V:81 S len 1401 ttl 63
host mtu C 1300
R1:80 > C:1000 . len 1301 => drop-packet-too-big [SYN_RECV 60 1/0]; D > R1 too-big mtu 1300 about R1:80 > C:1000 . len 1301

# super-packets pass whole when their segments fit
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
-A -u V:53 -s rr
-a -u V:53 -r R1 -g
C:1000 > V:80 S                                        => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
C:1000 > V:80 . len 20000 gso 1440 partial df          => forward-masquerade R1 to R1:8080 [ESTABLISHED 900 1/0]
R1:8080 > C:1000 . len 20000 gso 1440 partial df       => forward-reply C from V:80 [ESTABLISHED 900 1/0]
C:1000 > V:53 udp len 20000 gso 1440 partial           => forward-route R1 [UDP 300 0/1]

# super-packets whose segments do not fit [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
host mtu R1 1400
C:1000 > V:80 S                                 => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
C:1000 > V:80 . len 4000 gso 1448 partial df    => drop-packet-too-big [ESTABLISHED 900 1/0]; V > C too-big mtu 1400 about C:1000 > V:80 . len 4000 ttl 63 df
C:1000 > V:80 . len 4000 gso 1448 partial       => forward-masquerade R1 to R1:8080 parts 1396 112 1396 112 1104 [ESTABLISHED 900 1/0]

# a server that cannot be reached
-A -t V:80 -s rr
-a -t V:80 -r R1 -g
host lose R1
C:1000 > V:80 S => drop-unreachable [SYN_RECV 60 1/0]; V > C unreachable-host about C:1000 > V:80 S
host find R1
C:1000 > V:80 S => forward-route R1 [SYN_RECV 60 1/0]

# a client that cannot be reached, or a host that does not forward
-A -t V:80 -s rr
-a -t V:80 -r R1 -m
C:1000 > V:80 S   => forward-masquerade R1 to R1:80 [SYN_RECV 60 1/0]
host forwarding off
R1:80 > C:1000 S. => pass-not-forwarding [SYN_RECV 60 1/0]
C:1000 > V:80 .   => forward-masquerade R1 to R1:80 [ESTABLISHED 900 1/0]    -- requests need no forwarding
host forwarding on
host lose C
R1:80 > C:1000 F. => drop-unreachable [ESTABLISHED 900 1/0]; D > R1 unreachable-host about R1:80 > C:1000 F.

# the director itself as a real server: the host gets the packet, from NAT with the server's address
host own R1
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
-A -t V:81 -s rr
-a -t V:81 -r R1 -g
-A -t V:82 -s rr
-a -t V:82 -r R1 -i
C:1000 > V:80 S       => pass-local-destination to R1:8080 [SYN_RECV 60 1/0]
C:1000 > V:81 S ttl 1 => pass-local-destination [SYN_RECV 60 1/0]
C:1000 > V:82 S       => pass-local-destination [SYN_RECV 60 1/0]

# a reply to the director itself gets its source back and is the host's [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
10.9.0.1:1000 > V:80 S      => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
R1:8080 > 10.9.0.1:1000 S.  => pass-local-destination from V:80 [SYN_RECV 60 1/0]

# nobody outside reaches the loopback, and no loopback address leaves [inet]
-A -t V:80 -s rr
-a -t V:80 -r 127.0.0.1:8080 -m
-A -t V:81 -s rr
-a -t V:81 -r R1 -g
C:1000 > V:80 S         => drop-crosses-local [SYN_RECV 60 1/0]
127.0.0.1:1000 > V:80 S => pass-local-destination to 127.0.0.1:8080 [SYN_RECV 60 2/0]
127.0.0.1:1000 > V:81 S => drop-crosses-local [SYN_RECV 60 1/0]

# nobody outside reaches the loopback, and no loopback address leaves [inet6]
-A -t V:80 -s rr
-a -t V:80 -r ::1:8080 -m
-A -t V:81 -s rr
-a -t V:81 -r R1 -g
C:1000 > V:80 S      => drop-crosses-local [SYN_RECV 60 1/0]
[::1]:1000 > V:81 S  => drop-crosses-local [SYN_RECV 60 1/0]

# nat_icmp_send: a masqueraded server that nobody talks to is told
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
-A -f 7
-a -f 7 -r R2:99 -m
R1:8080 > C:1000 .   => pass-no-service
sysctl nat_icmp_send=1
R1:8080 > C:1000 .   => drop-no-destination; D > R1 unreachable-port about R1:8080 > C:1000 .
R1:8080 > C:1000 R   => pass-no-service
R1:8080 > C:1000 udp => pass-no-service
R1:8081 > C:1000 .   => pass-no-service
R2:99 > C:1000 udp   => drop-no-destination; D > R2 unreachable-port about R2:99 > C:1000 udp
R2:99 > C:1000 sctp:ABORT => pass-no-service
C:1000 > V:80 S      => forward-masquerade R1 to R1:8080 [SYN_RECV 60 1/0]
R1:8080 > C:1000 S.  => forward-reply C from V:80 [SYN_RECV 60 1/0]
`);

/** Fragments (ip_vs_gather_frags(), and what nf_defrag does before it). */
export const FRAGMENTS = scenarios(`
# fragments are put together before NAT and go on in no larger ones [inet]
-A -u V:53 -s rr
-a -u V:53 -r R1:5353 -m
C:1000 > V:53 udp len 3000 in 1500    => hold-fragment, hold-fragment, forward-masquerade R1 to R1:5353 parts 1500 1500 40 [UDP 300 0/1]
C:1000 > V:53 udp len 3000 in 1000    => hold-fragment, hold-fragment, hold-fragment, forward-masquerade R1 to R1:5353 parts 996 996 996 72 [UDP 300 0/1]
R1:5353 > C:1000 udp len 2000 in 1500 => hold-fragment, forward-reply C from V:53 parts 1500 520 [UDP 300 0/1]

# fragments smaller than any network's MTU go on as small [inet]
-A -u V:53 -s rr
-a -u V:53 -r R1:53 -g
C:1000 > V:53 udp len 84 in 52        => hold-fragment, forward-route R1 parts 52 52 [UDP 300 0/1]

# fragments are put together before NAT and go on in no larger ones [inet6]
-A -u V:53 -s rr
-a -u V:53 -r R1:5353 -m
C:1000 > V:53 udp len 3000 in 1500    => hold-fragment, hold-fragment, forward-masquerade R1 to R1:5353 parts 1496 1496 112 [UDP 300 0/1]
R1:5353 > C:1000 udp len 2000 in 1280 => hold-fragment, forward-reply C from V:53 parts 1280 776 [UDP 300 0/1]

# DR: fragments of a connection all go to its server [inet]
-A -u V:53 -s rr
-a -u V:53 -r R1 -g
-a -u V:53 -r R2 -g
C:1000 > V:53 udp len 2000 in 1500 => hold-fragment, forward-route R2 parts 1500 520 [UDP 300 0/1]
C:1000 > V:53 udp len 2000 in 1500 => hold-fragment, forward-route R2 parts 1500 520 [UDP 300 0/1]
C2:1000 > V:53 udp len 2000 in 1500 => hold-fragment, forward-route R1 parts 1500 520 [UDP 300 0/1]

# IPv6: fragments longer than the path's MTU are refused [inet6]
-A -u V:53 -s rr
-a -u V:53 -r R1 -g
host mtu R1 1400
C:1000 > V:53 udp len 2000 in 1500 => hold-fragment, drop-packet-too-big [UDP 300 0/1]; V > C too-big mtu 1400 about C:1000 > V:53 udp len 2000 ttl 63
C:1000 > V:53 udp len 2000 in 1400 => hold-fragment, forward-route R1 parts 1400 656 [UDP 300 0/1]

# fragments of others are theirs; with a mark nobody knows whose they are
-A -u V:53 -s rr
-a -u V:53 -r R1 -g
C:1000 > V2:53 udp len 2000 in 1500 => pass-fragment, pass-fragment
-A -f 7
C:1000 > V2:53 udp len 2000 in 1500 => hold-fragment, pass-no-service
C > V esp len 2000 in 1500          => hold-fragment, pass-not-balanced
C > V echo len 2000 in 1500         => hold-fragment, pass-not-balanced
`);

/** Tunnels (ip_vs_tunnel_xmit()). */
export const TUNNELS = scenarios(`
# IP in IP: a link of 1500 bytes leaves 1480 [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1 -i
C:1000 > V:80 S df               => forward-tunnel R1 in D > R1 ipip df [SYN_RECV 60 1/0]
C:1000 > V:80 . len 1480 df      => forward-tunnel R1 in D > R1 ipip df [ESTABLISHED 900 1/0]
C:1000 > V:80 . len 1481 df      => drop-packet-too-big [ESTABLISHED 900 1/0]; V > C too-big mtu 1480 about C:1000 > V:80 . len 1481 ttl 63 df
C:1000 > V:80 . len 1481         => forward-tunnel R1 in D > R1 ipip parts 1500 21 [ESTABLISHED 900 1/0]
C:1000 > V:80 . ttl 2 tos 184    => forward-tunnel R1 in D > R1 ipip outer-ttl 1 tos 184 [ESTABLISHED 900 1/0]
C:1000 > V:80 . tos 1            => forward-tunnel R1 in D > R1 ipip tos 1 [ESTABLISHED 900 1/0]
C:1000 > V:80 . tos 3            => forward-tunnel R1 in D > R1 ipip tos 2 [ESTABLISHED 900 1/0]
C:1000 > V:80 . len 900 partial  => forward-tunnel R1 in D > R1 ipip [ESTABLISHED 900 1/0]
-A -u V:53 -s rr
-a -u V:53 -r R1 -i
C:1000 > V:53 udp len 900 partial => forward-tunnel R1 in D > R1 ipip [UDP 300 0/1]

# GUE: 32 bytes of headers leave 1468 [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1 -i --tun-type gue --tun-port 6080
C:1000 > V:80 S len 1468 df      => forward-tunnel R1 in D > R1 gue df [SYN_RECV 60 1/0]
C:1000 > V:80 . len 1469 df      => drop-packet-too-big [ESTABLISHED 900 1/0]; V > C too-big mtu 1468 about C:1000 > V:80 . len 1469 ttl 63 df
-e -t V:80 -r R1 -i --tun-type gue --tun-port 6080 --tun-csum
C:1000 > V:80 . len 1468 df      => forward-tunnel R1 in D > R1 gue df [ESTABLISHED 900 1/0]
-e -t V:80 -r R1 -i --tun-type gue --tun-port 6080 --tun-remcsum
C:1000 > V:80 . len 1468 df partial => forward-tunnel R1 in D > R1 gue df [ESTABLISHED 900 1/0]

# GRE: 24 bytes of headers leave 1476, with a checksum 28 leave 1472 [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1 -i --tun-type gre
C:1000 > V:80 S len 1476 df      => forward-tunnel R1 in D > R1 gre df [SYN_RECV 60 1/0]
C:1000 > V:80 . len 1477 df      => drop-packet-too-big [ESTABLISHED 900 1/0]; V > C too-big mtu 1476 about C:1000 > V:80 . len 1477 ttl 63 df
-e -t V:80 -r R1 -i --tun-type gre --tun-csum
C:1000 > V:80 . len 1472 df      => forward-tunnel R1 in D > R1 gre df [ESTABLISHED 900 1/0]
C:1000 > V:80 . len 1473 df      => drop-packet-too-big [ESTABLISHED 900 1/0]; V > C too-big mtu 1472 about C:1000 > V:80 . len 1473 ttl 63 df

# IPv6 in IPv6 [inet6]
-A -t V:80 -s rr
-a -t V:80 -r R1 -i
C:1000 > V:80 S len 1460         => forward-tunnel R1 in D > R1 ipip [SYN_RECV 60 1/0]
C:1000 > V:80 . len 1461         => drop-packet-too-big [ESTABLISHED 900 1/0]; V > C too-big mtu 1460 about C:1000 > V:80 . len 1461 ttl 63
-e -t V:80 -r R1 -i --tun-type gue --tun-port 6080 --tun-csum
C:1000 > V:80 . len 1448         => forward-tunnel R1 in D > R1 gue [ESTABLISHED 900 1/0]
-e -t V:80 -r R1 -i --tun-type gre --tun-csum
C:1000 > V:80 . len 1452 tos 3   => forward-tunnel R1 in D > R1 gre tos 2 [ESTABLISHED 900 1/0]

# IPv6 in IPv4 [inet6]
-A -t V:80 -s rr
-a -t V:80 -r R1.4 -i
C:1000 > V:80 S len 1480         => forward-tunnel R1.4 in D.4 > R1.4 ipip [SYN_RECV 60 1/0]
C:1000 > V:80 . len 1481         => drop-packet-too-big [ESTABLISHED 900 1/0]; V > C too-big mtu 1480 about C:1000 > V:80 . len 1481 ttl 63
-e -t V:80 -r R1.4 -i --tun-type gre
C:1000 > V:80 . len 1476         => forward-tunnel R1.4 in D.4 > R1.4 gre [ESTABLISHED 900 1/0]
-e -t V:80 -r R1.4 -i --tun-type gue --tun-port 6080
C:1000 > V:80 . len 1468         => forward-tunnel R1.4 in D.4 > R1.4 gue [ESTABLISHED 900 1/0]

# IPv4 in IPv6; what does not fit is fragmented outside [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1.6 -i
C:1000 > V:80 S len 1460 df      => forward-tunnel R1.6 in D.6 > R1.6 ipip [SYN_RECV 60 1/0]
C:1000 > V:80 . len 1461 df      => drop-packet-too-big [ESTABLISHED 900 1/0]; V > C too-big mtu 1460 about C:1000 > V:80 . len 1461 ttl 63 df
C:1000 > V:80 . len 1461         => forward-tunnel R1.6 in D.6 > R1.6 ipip parts 1496 61 [ESTABLISHED 900 1/0]

# destinations of another family need a tunnel [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1.6 -g => invalid
-a -t V:80 -r R1.6 -m => invalid
-a -t V:80 -r R1.6 -i

# without path MTU discovery outer packets are fragmented [inet]
sysctl pmtu_disc=0
-A -t V:80 -s rr
-a -t V:80 -r R1 -i
C:1000 > V:80 S df          => forward-tunnel R1 in D > R1 ipip [SYN_RECV 60 1/0]
C:1000 > V:80 . len 1500 df => forward-tunnel R1 in D > R1 ipip parts 1500 40 [ESTABLISHED 900 1/0]

# super-packets of UDP are cut up before they enter the tunnel [inet6]
-A -u V:53 -s rr
-a -u V:53 -r R1 -i
C:1000 > V:53 udp len 3048 gso 1400 partial => forward-tunnel R1 in D > R1 ipip parts 1488 1488 288 [UDP 300 0/1]

# super-packets of more segments than anybody sends are not cut up
-A -t V:80 -s rr
-a -t V:80 -r R1 -i
C:1000 > V:80 S                                 => forward-tunnel R1 in D > R1 ipip [SYN_RECV 60 1/0]
C:1000 > V:80 . len 20000 gso 100 partial       => drop-packet-too-big [ESTABLISHED 900 1/0]
C:1000 > V:80 . len 4000 gso 1 partial          => drop-packet-too-big [ESTABLISHED 900 1/0]

# super-packets are cut up before they enter the tunnel: their segments must fit [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1 -i
C:1000 > V:80 S df                              => forward-tunnel R1 in D > R1 ipip df [SYN_RECV 60 1/0]
C:1000 > V:80 . len 3040 gso 1440 partial df    => forward-tunnel R1 in D > R1 ipip df parts 1500 1500 180 [ESTABLISHED 900 1/0]
C:1000 > V:80 . len 3040 gso 1460 partial df    => drop-packet-too-big [ESTABLISHED 900 1/0]; V > C too-big mtu 1480 about C:1000 > V:80 . len 3040 ttl 63 df

# a link too narrow for the tunnel [inet]
-A -t V:80 -s rr
-a -t V:80 -r R1 -i
host mtu R1 87
C:1000 > V:80 S => drop-packet-too-big [SYN_RECV 60 1/0]
host mtu R1 88
C:1000 > V:80 S => forward-tunnel R1 in D > R1 ipip [SYN_RECV 60 1/0]

# a link too narrow for the tunnel [inet6]
-A -t V:80 -s rr
-a -t V:80 -r R1 -i
host mtu R1 1319
C:1000 > V:80 S => drop-packet-too-big [SYN_RECV 60 1/0]
host mtu R1 1320
C:1000 > V:80 S => forward-tunnel R1 in D > R1 ipip [SYN_RECV 60 1/0]

# fragments are put together before they enter the tunnel [inet]
-A -u V:53 -s rr
-a -u V:53 -r R1 -i
C:1000 > V:53 udp len 3000 in 1500 => hold-fragment, hold-fragment, forward-tunnel R1 in D > R1 ipip parts 1500 1500 60 [UDP 300 0/1]
C:1000 > V:53 udp len 1400 in 1000 => hold-fragment, forward-tunnel R1 in D > R1 ipip [UDP 300 0/1]
C:1000 > V:53 udp len 65535 in 65000 => hold-fragment, drop-packet-too-big [UDP 300 0/1]

# fragments are put together before they enter the tunnel [inet6]
-A -u V:53 -s rr
-a -u V:53 -r R1 -i
C:1000 > V:53 udp len 3000 in 1400 => hold-fragment, hold-fragment, forward-tunnel R1 in D > R1 ipip parts 1496 1496 152 [UDP 300 0/1]
C:1000 > V:53 udp len 3000 in 1500 => hold-fragment, hold-fragment, drop-packet-too-big [UDP 300 0/1]; V > C too-big mtu 1460 about C:1000 > V:53 udp len 3000 ttl 63

# an entry made for a tunnel stays one when its server is edited
-A -t V:80 -s rr
-a -t V:80 -r R1 -i --tun-type gre
C:1000 > V:80 S => forward-tunnel R1 in D > R1 gre [SYN_RECV 60 1/0]
-e -t V:80 -r R1 -g
C:1000 > V:80 . => forward-tunnel R1 in D > R1 ipip [ESTABLISHED 900 1/0]
C:1001 > V:80 S => forward-route R1 [SYN_RECV 60 2/0]
`);
