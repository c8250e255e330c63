"""OpenAI's responses, as Codex asks for them: POST /v1/responses, answered by server-sent events."""

import json
import time

from .script import Tool, next_turn


def answer(script, body):
    """The turn, and the events that say it."""
    turn = next_turn(script, tools(body), body.get("input", []))
    if isinstance(turn, str):
        content = [{"type": "output_text", "text": turn, "annotations": []}]
        items = [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}]
    else:
        items = [item(*call) for call in turn]
    return turn, events(body, items) if body.get("stream") else response(body, items, "completed")


def tools(body):
    """By name, "namespace/name" for the tools of an MCP server or of code mode."""
    offered = list(body.get("tools") or [])
    # The models of code mode are told of their tools in the conversation.
    for part in body.get("input") or []:
        if isinstance(part, dict) and part.get("type") == "additional_tools":
            offered += part["tools"]
    found = {}
    for tool in offered:
        inside = tool.get("tools")
        for each in inside or [tool]:
            name = each.get("name") or each.get("type")
            full = "%s/%s" % (tool["name"], name) if inside else name
            found[full] = Tool(each.get("parameters"), each.get("type") == "custom")
    return found


def item(call, name, given):
    space, _, name = name.rpartition("/")
    made = {"call_id": call, "name": name, "status": "completed", **({"namespace": space} if space else {})}
    if isinstance(given, str):
        return {"type": "custom_tool_call", "id": "ctc_" + call, "input": given, **made}
    return {"type": "function_call", "id": "fc_" + call, "arguments": json.dumps(given), **made}


def response(body, items, status):
    usage = {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 10,
             "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 110}
    return {"id": "resp_%d" % time.time_ns(), "object": "response", "created_at": int(time.time()),
            "model": body.get("model", ""), "status": status, "output": items, "usage": usage}


def events(body, items):
    found = [{"type": "response.created", "response": response(body, [], "in_progress")}]
    for index, each in enumerate(items):
        found += [{"type": "response.output_item.added", "output_index": index, "item": each},
                  {"type": "response.output_item.done", "output_index": index, "item": each}]
    found.append({"type": "response.completed", "response": response(body, items, "completed")})
    return [{**event, "sequence_number": number} for number, event in enumerate(found)]
