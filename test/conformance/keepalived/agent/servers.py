"""Real servers of all kinds, on addresses of one namespace. A line of JSON is a command, each is answered by "ok".

    ["ready"]                            the interface has come: it gets its addresses
    ["serve", ADDRESS, PORT, HOW]        from here on; HOW says what a client sees
    ["stop", ADDRESS, PORT]              connections are refused again
    ["gone", ADDRESS]                    nobody has the address any more
    ["back", ADDRESS]
"""

import json
import os
import socket
import ssl
import subprocess
import sys
import threading

ADDRESSES = [address for number in range(11, 20) for address in ("10.77.0.%d" % number, "fd77::%d" % number)]
IDLE_S = 30


def batch(*lines):
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)


def with_prefix(address):
    return address + ("/64 nodad" if ":" in address else "/24")


class Server:
    def __init__(self, address, port, how):
        self.how = how
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        kind = socket.SOCK_DGRAM if how["kind"] in ("dns", "datagrams") else socket.SOCK_STREAM
        self.socket = socket.socket(family, kind)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, port))
        if kind == socket.SOCK_STREAM:
            self.socket.listen(64)
        work = self.accept if kind == socket.SOCK_STREAM else self.answer_datagrams
        threading.Thread(target=work, daemon=True).start()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.converse, args=(connection,), daemon=True).start()

    def converse(self, connection):
        connection.settimeout(IDLE_S)
        try:
            with connection:
                CONVERSATIONS[self.how["kind"]](connection, self.how)
        except OSError:
            pass

    def answer_datagrams(self):
        while True:
            try:
                data, peer = self.socket.recvfrom(65535)
            except OSError:
                return
            if self.how["kind"] == "dns":
                # The same question, answered with nothing.
                data = data[:2] + bytes([0x84, self.how.get("rcode", 0)]) + data[4:]
            elif "reply" in self.how:
                data = bytes.fromhex(self.how["reply"])
            else:
                continue
            self.socket.sendto(data, peer)


def silent(connection, _how):
    """Takes whatever is said."""
    while connection.recv(4096):
        pass


def web(connection, how):
    request = b""
    while b"\r\n\r\n" not in request:
        more = connection.recv(4096)
        if not more:
            return
        request += more
    path = request.split()[1].decode()
    host = [line[5:].strip() for line in request.decode().split("\r\n") if line.lower().startswith("host:")]
    status = how.get("paths", {}).get(path, how.get("status", 200))
    if "host" in how and host != [how["host"]]:
        status = 404
    body = how.get("body", "ok\n").encode()
    head = "HTTP/1.1 %d Told\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    connection.sendall((head % (status, len(body))).encode() + body)


def secure_web(connection, how):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(os.path.dirname(os.path.abspath(__file__)), "servers.pem"))
    with context.wrap_socket(connection, server_side=True) as secured:
        web(secured, how)


def mail(connection, how):
    connection.sendall(("%d lab\r\n" % how.get("banner", 220)).encode())
    lines = connection.makefile("rb")
    for line in lines:
        if line.upper().startswith(b"QUIT"):
            connection.sendall(b"221 bye\r\n")
            return
        connection.sendall(("%d lab\r\n" % how.get("hello", 250)).encode())


CONVERSATIONS = {"tcp": silent, "http": web, "https": secure_web, "smtp": mail}


def main():
    servers = {}
    # Otherwise all addresses of a prefix go with the first of them.
    with open("/proc/sys/net/ipv4/conf/all/promote_secondaries", "w") as file:
        file.write("1")
    print("here", flush=True)
    for line in sys.stdin:
        verb, *words = json.loads(line)
        try:
            if verb == "ready":
                batch(
                    "link set lo up",
                    *("address add %s dev servers" % with_prefix(each) for each in ADDRESSES),
                    "link set servers up",
                )
            elif verb == "serve":
                address, port, how = words
                if (address, port) in servers:
                    servers.pop((address, port)).close()
                servers[address, port] = Server(address, port, how)
            elif verb == "stop":
                servers.pop(tuple(words)).close()
            elif verb == "gone":
                batch("address del %s dev servers" % with_prefix(words[0]).split()[0])
            elif verb == "back":
                batch("address add %s dev servers" % with_prefix(words[0]))
            print("ok", flush=True)
        except Exception as error:
            print("%s: %s: %s" % (line.strip(), type(error).__name__, error), flush=True)


main()
