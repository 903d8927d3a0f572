"""An HTTPS service on asyncio streams, with HTTP/1.1 written by hand."""

import asyncio
import re
import ssl
import sys

port, cert, key = sys.argv[1:]


async def exchange(reader, writer):
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    size = re.match(rb"GET /bytes/(\d+) ", head)
    body = b"ok\n"
    if length:
        body = await reader.readexactly(int(length[1]))
    elif size:
        body = b"x" * int(size[1])
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    await writer.drain()
    return b"\r\nconnection: close" not in head.lower()


async def converse(reader, writer):
    try:
        while await exchange(reader, writer):
            pass
    except (asyncio.IncompleteReadError, OSError):
        pass  # the client has gone
    finally:
        writer.close()


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server = await asyncio.start_server(converse, "127.0.0.1", int(port), ssl=context)
    await server.serve_forever()


asyncio.run(main())
