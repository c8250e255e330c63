#!/usr/bin/env python3
"""An MCP server on stdio with one tool, `wipe {path}`, which deletes a file: a change that no shell sees."""

import json
import os
import sys

WIPE = {"name": "wipe", "description": "Delete a file", "inputSchema": {
    "type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}}


def result(method, params):
    if method == "initialize":
        return {"protocolVersion": params.get("protocolVersion", "2024-11-05"), "capabilities": {"tools": {}},
                "serverInfo": {"name": "frlive", "version": "0"}}
    if method == "tools/list":
        return {"tools": [WIPE]}
    if method == "tools/call":
        os.unlink(params["arguments"]["path"])
        return {"content": [{"type": "text", "text": "wiped"}]}
    if method.endswith("/list"):
        return {method.split("/")[-2]: []}
    return {}


for line in sys.stdin:
    message = json.loads(line)
    if "id" in message:
        said = result(message.get("method", ""), message.get("params", {}))
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": said}), flush=True)
