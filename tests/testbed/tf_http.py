#!/usr/bin/env python3
"""A Terraform `http` backend on loopback, with LOCK and UNLOCK, in memory. Prints its port. With an argument, everything
is answered only after so many seconds."""
import http.server
import json
import sys
import time

DELAY = float(sys.argv[1]) if len(sys.argv) > 1 else 0
kept = {"state": None, "lock": None}


class Backend(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, code, body=b""):
        time.sleep(DELAY)
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def do_GET(self):
        self.answer(200, kept["state"]) if kept["state"] else self.answer(404)

    def do_POST(self):
        body, lock = self.body(), self.path.partition("?ID=")[2]
        if kept["lock"] and json.loads(kept["lock"])["ID"] != lock:
            return self.answer(423, kept["lock"])
        kept["state"] = body
        return self.answer(200)

    def do_DELETE(self):
        kept["state"] = None
        self.answer(200)

    def do_LOCK(self):
        body = self.body()
        if kept["lock"]:
            return self.answer(423, kept["lock"])
        kept["lock"] = body
        return self.answer(200)

    def do_UNLOCK(self):
        self.body()
        kept["lock"] = None
        self.answer(200)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Backend)
print(server.server_port, flush=True)
server.serve_forever()
