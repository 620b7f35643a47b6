#!/usr/bin/env python3
"""Stands before a registry on the loopback and passes on what it is asked, until it is told otherwise.

usage: registry_gate.py PORT REGISTRY-PORT ORDERS

ORDERS is a file that is read again and again; it says what becomes of layers: `pass`; `cut`: only the
first half of one comes, and then the connection ends; `hold`: the first half comes, and the rest when
the order is another; `drip`: they come slowly. Prints a line when it listens; whoever is to find no
registry ends it.
"""
import http.client
import http.server
import pathlib
import sys
import time

PIECE = 16 << 10
port, upstream, orders = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])


def order():
    return orders.read_text().strip()


class Gate(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def send_layer(self, body):
        for at in range(0, len(body), PIECE):
            while at >= len(body) // 2 and order() == "hold":
                time.sleep(0.05)
            if at >= len(body) // 2 and order() == "cut":
                self.close_connection = True
                return
            if order() == "drip":
                time.sleep(0.1)
            self.wfile.write(body[at : at + PIECE])

    def do_GET(self):
        registry = http.client.HTTPConnection("127.0.0.1", upstream)
        headers = {name: ", ".join(self.headers.get_all(name, [])) for name in ("Accept", "Range")}
        headers = {name: value for name, value in headers.items() if value}
        registry.request(self.command, self.path, headers=headers)
        answer = registry.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "date", "server", "transfer-encoding"):
                self.send_header(name, value)
        self.end_headers()
        if self.command == "GET" and "/blobs/" in self.path and len(body) > 100_000:
            self.send_layer(body)
        elif self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):  # whoever asked has gone
        pass


server = Server(("127.0.0.1", port), Gate)
print("listening", flush=True)
server.serve_forever()
