"""OpenAI's chat completions, as Aider, Copilot CLI and opencode ask for them: POST /v1/chat/completions."""

import json
import time

from .script import Tool, next_turn


def answer(script, body):
    """The turn, and the completion that says it, in one piece or in chunks."""
    functions = [tool["function"] for tool in body.get("tools") or [] if tool.get("function")]
    tools = {function["name"]: Tool(function.get("parameters")) for function in functions}
    messages = body.get("messages", [])
    system = [message for message in messages if message.get("role") == "system"]
    turn = next_turn(script, tools, messages, system)
    message, finish = {"role": "assistant", "content": turn}, "stop"
    if not isinstance(turn, str):
        calls = [{"index": index, "id": call, "type": "function",
                  "function": {"name": name, "arguments": json.dumps(given)}}
                 for index, (call, name, given) in enumerate(turn)]
        message, finish = {"role": "assistant", "content": None, "tool_calls": calls}, "tool_calls"
    return turn, chunks(body, message, finish) if body.get("stream") else completion(
        body, "chat.completion", [{"index": 0, "message": message, "finish_reason": finish}], True)


def completion(body, kind, choices, counted):
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    return {"id": "chatcmpl-%d" % time.time_ns(), "object": kind, "created": int(time.time()),
            "model": body.get("model", ""), "choices": choices, **({"usage": usage} if counted else {})}


def chunks(body, message, finish):
    choice = lambda delta, reason: [{"index": 0, "delta": delta, "finish_reason": reason}]
    kind = "chat.completion.chunk"
    return [completion(body, kind, choice(message, None), False),
            completion(body, kind, choice({}, finish), False),
            completion(body, kind, [], True)]
