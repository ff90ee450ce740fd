import { scenarios } from "../scenario.ts";

/** The persistence engine sip (ip_vs_pe_sip.c). */
export const SIP = scenarios(`
# a call has its server, whatever port its packets come from
-A -u V:5060 -s rr -p 60 --pe sip
-a -u V:5060 -r R1 -g
-a -u V:5060 -r R2 -g
C:1000 > V:5060 udp payload INVITE%0D%0ACall-ID:%20a1@x%0D%0A    => forward-route R2 [UDP 300 0/1]
C:1001 > V:5060 udp payload INVITE%0D%0ACall-ID:%20b2@x%0D%0A    => forward-route R1 [UDP 300 0/1]
C:1002 > V:5060 udp payload ACK%0D%0Ai:%20a1@x%0D%0A             => forward-route R2 [UDP 300 0/2]
C3:1002 > V:5060 udp payload INVITE%0D%0ACall-ID:%20a1@x%0D%0A   => forward-route R2 [UDP 300 0/3]
C:1001 > V:5060 udp payload INVITE%0D%0ACall-ID:%20a1@x%0D%0A    => forward-route R1 [UDP 300 0/1]  -- a known flow is not asked
C:1003 > V:5060 udp len 40                                       => drop-no-call-id
C:1003 > V:5060 udp                                              => drop-no-call-id
C:1003 > V:5060 udp payload BYE%0D%0ACall-ID:%20a1@x             => drop-no-call-id
-Lc
| UDP 300 UDP C3:1002 V:5060 R2:5060
| UDP 300 UDP C:1000 V:5060 R2:5060
| UDP 300 UDP C:1001 V:5060 R1:5060
| UDP 300 UDP C:1002 V:5060 R2:5060
| UDP 60 NONE C3:0 V:5060 R2:5060 sip a1@x
| UDP 60 NONE C:0 V:5060 R1:5060 sip b2@x
| UDP 60 NONE C:0 V:5060 R2:5060 sip a1@x
-L
| UDP V:5060 rr
| -> R1:5060 route 1 0 1 1
| -> R2:5060 route 1 0 3 2

# a netmask makes one client of many, and fragments make one datagram [inet]
-A -u V:5060 -s rr -p 60 -M 24 --pe sip
-a -u V:5060 -r R1 -g
-a -u V:5060 -r R2 -g
C:1000 > V:5060 udp payload INVITE%0D%0ACall-ID:%20a1@x%0D%0A        => forward-route R2 [UDP 300 0/1]
C2:1002 > V:5060 udp payload INVITE%20sip:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb%0D%0ACall-ID:%20a1@x%0D%0A in 68 => hold-fragment, forward-route R2 parts 68 44 [UDP 300 0/2]
C3:1002 > V:5060 udp payload INVITE%0D%0ACall-ID:%20a1@x%0D%0A       => forward-route R1 [UDP 300 0/1]

# a call moves when its server is removed, and its template ends with its time
-A -u V:5060 -s rr -p 60 --pe sip
-a -u V:5060 -r R1 -g
-a -u V:5060 -r R2 -g
C:1000 > V:5060 udp payload INVITE%0D%0ACall-ID:%20a1@x%0D%0A    => forward-route R2 [UDP 300 0/1]
-d -u V:5060 -r R2
C:1001 > V:5060 udp payload INVITE%0D%0ACall-ID:%20a1@x%0D%0A    => forward-route R1 [UDP 300 0/1]
-Lc
| UDP 300 UDP C:1000 V:5060 R2:5060
| UDP 300 UDP C:1001 V:5060 R1:5060
| UDP 60 NONE C:0 V:5060 R1:5060 sip a1@x
| UDP 60 NONE C:0 V:65535 R2:65535 sip a1@x
+500
-Lc
| nothing

# a template with a call's name and one without are not each other's
-A -u V:5060 -s rr -p 60 --pe sip
-a -u V:5060 -r R1 -g
-a -u V:5060 -r R2 -g
C:1000 > V:5060 udp payload INVITE%0D%0ACall-ID:%20a1@x%0D%0A    => forward-route R2 [UDP 300 0/1]
-E -u V:5060 -s rr -p 60
C:1001 > V:5060 udp payload INVITE%0D%0ACall-ID:%20a1@x%0D%0A    => forward-route R1 [UDP 300 0/1]
C:1002 > V:5060 udp                                              => forward-route R1 [UDP 300 0/2]
-E -u V:5060 -s rr -p 60 --pe sip
C:1003 > V:5060 udp payload INVITE%0D%0ACall-ID:%20a1@x%0D%0A    => forward-route R2 [UDP 300 0/2]
-Lc
| UDP 300 UDP C:1000 V:5060 R2:5060
| UDP 300 UDP C:1001 V:5060 R1:5060
| UDP 300 UDP C:1002 V:5060 R1:5060
| UDP 300 UDP C:1003 V:5060 R2:5060
| UDP 60 NONE C:0 V:5060 R1:5060
| UDP 60 NONE C:0 V:5060 R2:5060 sip a1@x

# without -p the engine asks for nothing; with it, no other protocol has what it asks for
-A -u V:5060 -s rr --pe sip
-a -u V:5060 -r R1 -g
-A -t V:5060 -s rr -p 60 --pe sip
-a -t V:5060 -r R1 -g
-A -f 7 -s rr -p 60 --pe sip
-a -f 7 -r R1:0 -g
C:1000 > V:5060 udp                                              => forward-route R1 [UDP 300 0/1]
C:1000 > V:5060 S                                                => drop-no-call-id
C:1000 > V:5061 udp payload INVITE%0D%0ACall-ID:%20a1@x%0D%0A mark 7 => forward-route R1 [UDP 300 0/1]
C:1000 > V:5061 S mark 7                                         => drop-no-call-id

# an error that quotes what nobody knows has no call [inet]
sysctl schedule_icmp=1
-A -u V:5060 -s rr -p 60 --pe sip
-a -u V:5060 -r R1 -g
C > V unreachable-port about V:5060 > C:1000 udp payload INVITE%0D%0ACall-ID:%20a1@x%0D%0A => drop-no-call-id

# a masqueraded server begins a call itself, and it comes from the service
-A -u V:5060 -s rr -p 60 --pe sip
-a -u V:5060 -r R1:5070 -m
-a -u V:5060 -r R2:5070 -m
R1:5070 > C:1000 udp payload INVITE%0D%0ACall-ID:%20s@x%0D%0A    => forward-reply C from V:5060 [UDP 300 0/1]
C:1000 > V:5060 udp                                              => forward-masquerade R1 to R1:5070 [UDP 300 0/1]
C:1001 > V:5060 udp payload BYE%0D%0ACall-ID:%20s@x%0D%0A        => forward-masquerade R1 to R1:5070 [UDP 300 0/2]
R1:5071 > C:1000 udp payload INVITE%0D%0ACall-ID:%20s@x%0D%0A    => pass-no-service
R1:5070 > C:1002 udp                                             => pass-no-service
R1:5070 > C:1002 S                                               => pass-no-service
R1:5070 > V:9999 udp payload INVITE%0D%0ACall-ID:%20s@x%0D%0A    => pass-no-service
R1:5070 > C:1002 udp ttl 1 payload INVITE%0D%0ACall-ID:%20t@x%0D%0A => pass-no-service
R2:5070 > C:1003 udp payload INVITE%0D%0ACall-ID:%20s@x%0D%0A    => forward-reply C from V:5060 [UDP 300 0/1]
-Lc
| UDP 300 UDP C:1000 V:5060 R1:5070
| UDP 300 UDP C:1001 V:5060 R1:5070
| UDP 300 UDP C:1003 V:5060 R2:5070
| UDP 60 ASSURED C:0 V:5060 R2:5070 sip s@x
| UDP 60 ASSURED C:0 V:65535 R1:65535 sip s@x

# a masqueraded server's answers to single packets come from the service, too
-A -u V:5060 -s rr -o --pe sip
-a -u V:5060 -r R1:5070 -m
C:1000 > V:5060 udp => forward-masquerade R1 to R1:5070
R1:5070 > C:1000 udp => forward-reply C from V:5060
-Lc
| nothing

# of several services with one server the last decides whether it may begin calls
-A -u V:5060 -s rr --pe sip
-a -u V:5060 -r R1:5070 -m
-A -u V:5061 -s rr
-a -u V:5061 -r R1:5070 -m
R1:5070 > C:1000 udp => pass-no-service
-D -u V:5061
R1:5070 > C:1000 udp => forward-reply C from V:5060 [UDP 300 0/1]

# a call that does not fit its way is refused, and leaves no connection [inet]
-A -u V:5060 -s rr --pe sip
-a -u V:5060 -r R1:5070 -m
host mtu C 1300
R1:5070 > C:1000 udp len 1400 df => drop-packet-too-big; D > R1 too-big mtu 1300 about R1:5070 > C:1000 udp len 1400 df
-Lc
| nothing
`);
