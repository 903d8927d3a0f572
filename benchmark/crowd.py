"""Forks COUNT processes that sleep until standard input ends. One in EVERY listens."""
import os
import socket
import sys

count, every = int(sys.argv[1]), int(sys.argv[2])
ready, tell = os.pipe()
for number in range(count):
    if os.fork() == 0:
        if number % every == 0:
            listener = socket.socket()
            listener.bind(("127.0.0.1", 0))
            listener.listen()
        os.write(tell, b".")
        os.read(0, 1)
        os._exit(0)
waiting = count
while waiting > 0:
    waiting -= len(os.read(ready, waiting))
print("ready", flush=True)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
