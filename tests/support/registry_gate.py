#!/usr/bin/env python3
"""Stands before a registry on the loopback and passes on what it is asked, until it is told otherwise.

usage: registry_gate.py PORT REGISTRY-PORT ORDERS

ORDERS is a file that is read at each request: `pass`, or `cut`: of a layer only the first half comes,
and then the connection ends. Prints a line when it listens; whoever is to find no registry ends it.
"""
import http.client
import http.server
import pathlib
import sys

port, upstream, orders = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])


class Gate(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        registry = http.client.HTTPConnection("127.0.0.1", upstream)
        headers = {name: ", ".join(self.headers.get_all(name, [])) for name in ("Accept", "Range")}
        headers = {name: value for name, value in headers.items() if value}
        registry.request(self.command, self.path, headers=headers)
        answer = registry.getresponse()
        body = answer.read()
        layer = "/blobs/" in self.path and len(body) > 100_000
        cut = layer and orders.read_text().strip() == "cut"
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "date", "server", "transfer-encoding"):
                self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = cut

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
