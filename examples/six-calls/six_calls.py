"""The six calls of a product, in Python.

Usage: python six_calls.py CONFIG CONNECTION PORT
  CONFIG      the host's configuration, JSON; its callbacks.address leads to PORT
  CONNECTION  parameters of connections.create for the tenant "t", JSON
  PORT        where callbacks come in
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psa_host


# begin: callback
class Door(BaseHTTPRequestHandler):
    """Answers requests below callbacks.address."""

    def do_POST(self):
        length = min(int(self.headers["content-length"] or 0), 1 << 20)
        body = self.rfile.read(length)  # as it came, byte for byte: it is signed
        try:
            answer = host.callback("POST", self.path, self.headers.items(), body)
        except psa_host.PsaError:
            answer = psa_host.Response(429, [], b"")  # the PSA comes again
        print(f"callback {answer.status}\n", end="", flush=True)
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    # end: callback
    def log_message(self, *_):
        """The address is a secret: its last part is a token."""


config, create = json.loads(sys.argv[1]), json.loads(sys.argv[2])
# begin: open
host = psa_host.Host(config)
# end: open
server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[3])), Door)
threading.Thread(target=server.serve_forever, daemon=True).start()

# begin: connect
connection = host.connections.create(**create).connection
report = host.connections.test(tenant="t", connection=connection)
if not report.passed:
    sys.exit(f"the test failed: {report.steps}")
# end: connect

# begin: link
link = host.links.create(tenant="t", connection=connection, product_ticket="HD-7", ticket="1001").link
# end: link

# begin: post
note = host.notes.post(
    tenant="t", link=link, visibility="internal", text="Posted from Python.", client_key="comment 1", wait_ms=60_000
)
print(f"note {note.state}\n", end="", flush=True)
# end: post

# begin: event
for event in host.events("desk"):
    print(f"event {event.kind}\n", end="", flush=True)  # here the product does what the event says
    if event.kind == "note.added":  # it is acknowledged when the next one is asked for
        host.events.ack(consumer="desk", id=event.id)
        break
# end: event
server.shutdown()
# begin: close
host.close(drain_ms=1_000)  # running calls have a second to end
# end: close
