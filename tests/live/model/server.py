"""Listens on loopback, hands each request to its protocol, keeps what was asked and answered."""

import gzip
import itertools
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import anthropic, chat, responses

PROTOCOLS = {"/messages": anthropic, "/responses": responses, "/chat/completions": chat}


def serve(script, log):
    """Starts the server; its base URL. Requests go to `log` as NNN.json."""
    os.makedirs(log, exist_ok=True)
    handler = type("Scripted", (Handler,), {"script": script, "log": log, "numbers": itertools.count(1)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "http://127.0.0.1:%d" % server.server_address[1]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script, log, numbers = {}, "", None

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.headers.get("content-encoding") == "gzip":
            raw = gzip.decompress(raw)
        try:
            body = json.loads(raw or b"{}")
        except ValueError:
            body = {}
        path = self.path.split("?")[0]
        protocol = next((module for end, module in PROTOCOLS.items() if path.endswith(end)), None)
        if protocol:
            turn, said = protocol.answer(self.script, body)
        else:
            turn, said = None, {"input_tokens": 100}  # count_tokens, and what else may be asked
        self.keep(body, turn)
        if isinstance(said, list):
            self.send(b"".join(map(event, said)) + (b"data: [DONE]\n\n" if protocol is chat else b""), "text/event-stream")
        else:
            self.send(json.dumps(said).encode(), "application/json")

    def do_GET(self):
        self.keep(None, None)
        model = {"id": "scripted", "object": "model", "created": 0, "owned_by": "fr"}
        self.send(json.dumps({"object": "list", "data": [model], "models": []}).encode(), "application/json")

    do_HEAD = do_GET

    def send(self, data, kind):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def keep(self, body, turn):
        with open(os.path.join(self.log, "%03d.json" % next(self.numbers)), "w", encoding="utf8") as file:
            json.dump({"method": self.command, "path": self.path, "body": body, "turn": turn}, file, indent=1)

    def log_message(self, *_):
        pass


def event(content):
    named = "event: %s\n" % content["type"] if "type" in content else ""
    return ("%sdata: %s\n\n" % (named, json.dumps(content))).encode()
