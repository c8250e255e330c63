#!/usr/bin/env python3
"""A validating admission webhook on loopback: refuses config maps that are called what its second argument says.
Usage: webhook.py DIRECTORY NAME. Makes a certificate in DIRECTORY, prints the port and the certificate (base64) in a line
and serves until its standard input ends. Each request that it saw is a line in DIRECTORY/asked: `dry` or `real`, and the name.
"""
import base64, http.server, json, os, ssl, subprocess, sys, threading

directory, refused = sys.argv[1:3]
key, cert = (os.path.join(directory, name) for name in ("key.pem", "cert.pem"))
subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
                "-subj", "/CN=webhook", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
               check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Review(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        request = review["request"]
        with open(os.path.join(directory, "asked"), "a") as log:
            log.write(f"{'dry' if request.get('dryRun') else 'real'} {request['name']}\n")
        allowed = request["name"] != refused
        answer = {"uid": request["uid"], "allowed": allowed}
        if not allowed:
            answer["status"] = {"message": f"the policy of the house allows no {refused}"}
        body = json.dumps({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Review)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
with open(cert, "rb") as file:
    print(server.server_address[1], base64.b64encode(file.read()).decode(), flush=True)
sys.stdin.read()
