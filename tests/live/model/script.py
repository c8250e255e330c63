"""What the model does next.

A script is {"main": [STEP, ...], "NAME": [STEP, ...]}. A STEP is one turn of the model: a CALL, or a list of CALLs made
at the same time.

  {"shell": "line"}             run a line with the agent's shell tool
  {"background": "line"}        the same, without waiting for it
  {"output": "task"}            wait for the latest command in the background (Claude Code)
  {"read": path}                read a file
  {"edit": [path, old, new]}    change a file without a shell
  {"write": [path, content]}    make a file without a shell
  {"patch": "*** Begin ..."}    an apply_patch text
  {"mcp": [tool, {...}]}        the MCP tool whose name ends so
  {"agent": "prompt"}           a sub-agent; "[[script:NAME]]" in its prompt makes it follow that script
  {"raw": [tool, {...}]}        a tool by its name ("namespace/name" with Codex)
  {"js": "code"}                Codex' code mode: JavaScript that calls tools
  {"text": "..."}               words, which end the turn

The place in the script is read from the call ids in the conversation that the agent sends along with every request. So
the server keeps no state, and sub-agents, retries and requests at the same time all work.
"""

import json
import re

TASK = re.compile(r"running in background with ID: (\w+)")
CALL_ID = re.compile(r"fr_([a-z]+)_(\d+)_\d+")
MARK = re.compile(r"\[\[script:([a-z]+)\]\]")


class Tool:
    """A tool on offer: the parameters it takes; free-form tools take a text instead."""

    def __init__(self, schema=None, freeform=False):
        self.parameters = set((schema or {}).get("properties", {}))
        self.freeform = freeform


def next_turn(script, tools, conversation, system=""):
    """The model's next turn: a text, or a list of (call id, tool name, arguments)."""
    name, number = place(conversation, system)
    steps = script.get(name, [])
    if not tools and not (number < len(steps) and "text" in first(steps[number])):
        return "ok"  # a title, a summary: the agent asks for words
    if number >= len(steps):
        return "done"
    step = steps[number]
    if "text" in first(step):
        return first(step)["text"]
    calls = []
    for nth, call in enumerate(step if isinstance(step, list) else [step]):
        made = concrete(call, tools, conversation)
        if made is None:
            return "no tool on offer for %s; there are: %s" % (json.dumps(call), ", ".join(sorted(tools)))
        calls.append(("fr_%s_%d_%d" % (name, number, nth), *made))
    return calls


def place(conversation, system):
    """Which script, and which step of it comes next."""
    ids = CALL_ID.findall(json.dumps(conversation))
    if ids:
        name = ids[-1][0]
        return name, 1 + max(int(step) for script, step in ids if script == name)
    marks = MARK.findall(json.dumps(system)) or MARK.findall(json.dumps(conversation))
    return (marks[-1] if marks else "main"), 0


def first(step):
    return step[0] if isinstance(step, list) else step


def concrete(call, tools, conversation):
    """The (tool name, arguments) that make this call with the tools on offer; None where none fits."""
    ((kind, value),) = call.items()
    if kind == "raw":
        return tuple(value)
    if kind == "output":
        begun = TASK.findall(json.dumps(conversation))
        return ("TaskOutput", {"task_id": begun[-1], "block": True, "timeout": 30000}) if begun else None
    if "functions/exec" in tools:
        code = in_code(kind, value)
        if code:
            return "functions/exec", code
    if kind in ("shell", "background"):
        return shell(value, kind == "background", tools)
    if kind == "mcp":
        named = [name for name in tools if name.endswith(value[0])]
        return (named[0], value[1]) if named else None
    if kind == "agent":
        return sub_agent(value, tools)
    for name, arguments in FILE_TOOLS.get(kind, {}).items():
        if name in tools:
            return name, as_patch(arguments(value), tools[name]) if name == "apply_patch" else arguments(value)
    return None


def shell(line, background, tools):
    if "Bash" in tools:  # Claude Code
        return "Bash", {"command": line, "description": "scripted", **({"run_in_background": True} if background else {})}
    if "exec_command" in tools:  # Codex
        return "exec_command", {"cmd": line, **({"yield_time_ms": 250} if background else {})}
    if "run_shell_command" in tools:  # Gemini CLI
        return "run_shell_command", {"command": line, "description": "scripted", "is_background": background}
    if "bash" in tools:  # Copilot CLI, opencode
        mode = {"mode": "async"} if background and "mode" in tools["bash"].parameters else {}
        return "bash", {"command": line, "description": "scripted", **mode}
    return None


def in_code(kind, value):
    """The call as JavaScript, for Codex' code mode; None for what is not called from there."""
    run = lambda tool, argument: "const r = await tools.%s(%s); text(r);" % (tool, json.dumps(argument))
    if kind == "js":
        return value
    if kind in ("shell", "background"):
        return run("exec_command", {"cmd": value, **({"yield_time_ms": 250} if kind == "background" else {})})
    if kind == "mcp":
        return run("mcp__frlive__" + value[0], value[1])
    if kind in ("edit", "write", "patch"):
        return run("apply_patch", PATCH[kind](value))
    return None


def sub_agent(prompt, tools):
    for name in ("Agent", "Task"):  # Claude Code
        if name in tools:
            return name, {"description": "scripted", "prompt": prompt, "subagent_type": "general-purpose"}
    for name, tool in tools.items():
        if name.split("/")[-1] == "spawn_agent":  # Codex; without fork_turns it inherits the whole conversation
            wanted = {"message": prompt, "task_name": "sub", "fork_turns": "none"}
            return name, {key: value for key, value in wanted.items() if key in tool.parameters}
    return None


PATCH = {
    "patch": lambda text: text,
    "edit": lambda v: "*** Begin Patch\n*** Update File: %s\n@@\n-%s\n+%s\n*** End Patch\n" % tuple(v),
    "write": lambda v: "*** Begin Patch\n*** Add File: %s\n%s*** End Patch\n" % (
        v[0], "".join("+%s\n" % line for line in v[1].splitlines())),
}

# What each agent calls it, in the order of preference.
FILE_TOOLS = {
    "read": {
        "Read": lambda path: {"file_path": path},
        "read_file": lambda path: {"file_path": path},
    },
    "edit": {
        "Edit": lambda v: {"file_path": v[0], "old_string": v[1], "new_string": v[2]},
        "replace": lambda v: {"file_path": v[0], "old_string": v[1], "new_string": v[2], "instruction": "scripted"},
        "apply_patch": PATCH["edit"],
    },
    "write": {
        "Write": lambda v: {"file_path": v[0], "content": v[1]},
        "write_file": lambda v: {"file_path": v[0], "content": v[1]},
        "apply_patch": PATCH["write"],
    },
    "patch": {"apply_patch": PATCH["patch"]},
}


def as_patch(text, tool):
    return text if tool.freeform else {"input": text}
