"""Anthropic's messages, as Claude Code asks for them: POST /v1/messages, answered by server-sent events."""

import json
import time

from .script import Tool, next_turn


def answer(script, body):
    """The turn, and the events that say it."""
    tools = {tool["name"]: Tool(tool.get("input_schema")) for tool in body.get("tools") or [] if "name" in tool}
    turn = next_turn(script, tools, body.get("messages", []))
    if isinstance(turn, str):
        blocks, stop = [{"type": "text", "text": turn}], "end_turn"
    else:
        blocks = [{"type": "tool_use", "id": call, "name": name, "input": given} for call, name, given in turn]
        stop = "tool_use"
    return turn, events(body, blocks, stop) if body.get("stream") else whole(body, blocks, stop)


def usage():
    return {"input_tokens": 100, "output_tokens": 10, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}


def whole(body, blocks, stop):
    return {"id": "msg_%d" % time.time_ns(), "type": "message", "role": "assistant", "model": body.get("model", ""),
            "stop_sequence": None, "content": blocks, "stop_reason": stop, "usage": usage()}


def events(body, blocks, stop):
    found = [{"type": "message_start", "message": whole(body, [], None)}]
    for index, block in enumerate(blocks):
        if block["type"] == "text":
            start, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            start = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        found += [{"type": "content_block_start", "index": index, "content_block": start},
                  {"type": "content_block_delta", "index": index, "delta": delta},
                  {"type": "content_block_stop", "index": index}]
    return found + [
        {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": usage()},
        {"type": "message_stop"}]
