"""An HTTPS service with a child for each connection, with which the parent has shaken hands."""

import ssl
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ForkingMixIn


class Hello(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")

    def log_message(self, *args):
        pass


class Forks(ForkingMixIn, HTTPServer):
    request_queue_size = 128


port, cert, key = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
server = Forks(("127.0.0.1", int(port)), Hello)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
