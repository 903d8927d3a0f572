"""An HTTPS service that imports ssl only when its first client has connected.

It stays away from http.server, which imports ssl at once."""

import functools
import socket
import sys
import threading

port, cert, key = sys.argv[1:]


@functools.cache
def context():
    import ssl

    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(cert, key)
    return made


def exchange(conn):
    head = b""
    while b"\r\n\r\n" not in head:
        data = conn.recv(4096)
        if not data:
            return False
        head += data
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
    return b"\r\nconnection: close" not in head.lower()


def converse(plain):
    with context().wrap_socket(plain, server_side=True) as conn:
        while exchange(conn):
            pass


listener = socket.create_server(("127.0.0.1", int(port)), backlog=128)
while True:
    accepted, _ = listener.accept()
    threading.Thread(target=converse, args=(accepted,), daemon=True).start()
