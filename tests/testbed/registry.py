"""A registry of npm packages and one of crates on loopback, for the real npm and cargo: the requests that they make, with
npm's refusal of a version that was there before. Prints its port and serves until its standard input ends."""

import base64
import http.server
import json
import re
import sys
import threading
from urllib.parse import unquote

LOCK = threading.RLock()
PACKAGES, USED, CRATES, OWNERS, ACCESS, FILES = {}, set(), {}, {}, {}, {}


def package(name, port):
    versions = {v: {"name": name, "version": v, "dist": {"tarball": f"http://127.0.0.1:{port}/{name}/-/{name.split('/')[-1]}-{v}.tgz", "shasum": "0" * 40}}
                for v in ("1.0.0", "1.1.0", "2.0.0")}
    return {"_id": name, "_rev": "1-0", "name": name, "dist-tags": {"latest": "2.0.0", "beta": "1.1.0"}, "versions": versions,
            "time": {}, "maintainers": [{"name": "me", "email": "me@x"}, {"name": "you", "email": "you@x"}]}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def act(self):
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = unquote(self.path.split("?")[0]).strip("/")
        try:
            with LOCK:
                status, out = self.answer(path, raw)
        except KeyError:
            status, out = 404, {"error": "not found"}
        data = out if isinstance(out, bytes) else json.dumps(out).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            self.wfile.write(data)
        except ConnectionError:
            pass  # cargo hangs up as soon as it knows enough

    def answer(self, path, raw):
        method, port = self.command, self.server.server_address[1]
        if method != "GET" and "tok" not in self.headers.get("authorization", ""):
            return 401, {"error": "no login"}
        if path.startswith("fresh/"):
            name = path[6:]
            PACKAGES[name] = package(name, port)
            ACCESS[name] = "public"
            CRATES[name] = {"1.0.0": False, "1.0.1": False}
            OWNERS[name] = ["me", "you"]
            return 200, {"ok": True}
        if path == "index/config.json":
            return 200, {"dl": f"http://127.0.0.1:{port}/dl", "api": f"http://127.0.0.1:{port}"}
        if path.startswith("index/"):
            name = path.rsplit("/", 1)[1]
            lines = [json.dumps({"name": name, "vers": v, "deps": [], "cksum": "0" * 64, "features": {}, "yanked": y}) for v, y in CRATES[name].items()]
            return 200, "\n".join(lines).encode()
        if path.startswith("api/v1/crates/"):
            return self.crate(path.split("/")[3:], method, raw)
        if path == "-/whoami":
            return 200, {"username": "me"}
        if path.startswith("-/user/org.couchdb.user:"):
            return 200, {"name": path.split(":")[1], "email": path.split(":")[1] + "@x"}
        if found := re.fullmatch(r"-/package/(.+)/dist-tags(?:/(.+))?", path):
            tags = PACKAGES[found[1]]["dist-tags"]
            if method == "PUT":
                tags[found[2]] = json.loads(raw)
            elif method == "DELETE":
                del tags[found[2]]
            return 200, tags
        if found := re.fullmatch(r"-/package/(.+)/(access|visibility)", path):
            if method == "POST":
                ACCESS[found[1]] = json.loads(raw)["access"]
            return 200, {"public": ACCESS[found[1]] != "restricted"}
        if found := re.fullmatch(r".+/-/([^/]+\.tgz)", path):
            return 200, FILES[found[1]]
        if found := re.fullmatch(r"(.+)/-/[^/]+\.tgz/-rev/.+", path):
            return 200, {"ok": True}
        name = path.split("/-rev/")[0]
        if method == "GET":
            return 200, PACKAGES[name]
        if method == "DELETE":
            USED.update(f"{name}@{v}" for v in PACKAGES.pop(name)["versions"])
            return 200, {"ok": True}
        body = json.loads(raw)
        now = PACKAGES.setdefault(name, {"_id": name, "_rev": "1-0", "name": name, "dist-tags": {}, "versions": {}, "time": {}, "maintainers": [{"name": "me", "email": "me@x"}]})
        if "_attachments" in body:
            for version, manifest in body["versions"].items():
                if version in now["versions"] or f"{name}@{version}" in USED:
                    return 403, {"error": f"You cannot publish over the previously published versions: {version}."}
                now["versions"][version] = manifest
            for file, content in body["_attachments"].items():
                FILES[file] = base64.b64decode(content["data"])
            now["dist-tags"].update(body["dist-tags"])
            return 200, {"ok": True}
        if "versions" in body:
            USED.update(f"{name}@{v}" for v in now["versions"] if v not in body["versions"])
            now.update(versions=body["versions"])
            now["dist-tags"] = body["dist-tags"]
        if "maintainers" in body:
            now["maintainers"] = body["maintainers"]
        return 200, {"ok": True}

    def crate(self, parts, method, raw):
        if parts == ["new"]:
            size = int.from_bytes(raw[:4], "little")
            told = json.loads(raw[4:4 + size])
            CRATES.setdefault(told["name"], {})[told["vers"]] = False
            return 200, {"warnings": {"invalid_categories": [], "invalid_badges": [], "other": []}}
        if parts[-1] in ("yank", "unyank"):
            CRATES[parts[0]][parts[1]] = parts[-1] == "yank"
            return 200, {"ok": True}
        if parts[-1] == "owners":
            users = json.loads(raw)["users"] if raw else []
            if method == "DELETE":
                OWNERS[parts[0]] = [u for u in OWNERS[parts[0]] if u not in users]
            elif method == "PUT":
                OWNERS[parts[0]] += users
            return 200, {"ok": True, "msg": "done", "users": [{"id": i, "login": u, "name": None} for i, u in enumerate(OWNERS[parts[0]])]}
        raise KeyError(parts)

    do_GET = do_POST = do_PUT = do_DELETE = act

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
