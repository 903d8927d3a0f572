"""A threaded HTTPS service, as one would write it with the standard library."""

import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen

port, cert, key, upstream = sys.argv[1:]
calls = ssl.create_default_context(cafile=cert)


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        self.request.do_handshake()
        super().setup()

    def do_GET(self):
        if self.path == "/call":
            with urlopen(f"https://{upstream}/hello", context=calls) as answered:
                self.answer(answered.read())
        elif self.path.startswith("/bytes/"):
            self.answer(b"x" * int(self.path.rsplit("/", 1)[1]))
        else:
            self.answer(b"ok\n")

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
server = ThreadingHTTPServer(("127.0.0.1", int(port)), Shop)
# The handshake is the thread's affair: a slow client must not hold up the others.
server.socket = context.wrap_socket(
    server.socket, server_side=True, do_handshake_on_connect=False
)
server.serve_forever()
