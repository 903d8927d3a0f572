"""Listens on a port, and becomes the program that the other arguments name."""

import os
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
listener.set_inheritable(True)
os.execv(sys.argv[2], sys.argv[2:])
