// fr install wrote this file: it tells `fr hook opencode` of every tool call before and after it runs.
// `fr uninstall` takes it away; changes made here are lost.
//
// It stays out of the way. A missing, slow or broken `fr` never stops a call: opencode has no time-out of its own for
// plugins, so the wait is bounded here. Only an answer of `fr` that says "deny" does, by an error.
import { spawn, spawnSync } from "node:child_process"
import { accessSync, constants } from "node:fs"

const FR = "@FR@"
// Saving what a call is about to destroy may take a while; a hung `fr` must not take the session with it.
const WAIT_MS = 60_000
const EVENT_WAIT_MS = 5_000
const MOST_OUTPUT = 1 << 20

// Where `fr` was when this file was written; else, where it has been moved to since.
const program = () => {
  try {
    accessSync(FR, constants.X_OK)
    return FR
  } catch {
    return "fr"
  }
}

// The only export: opencode takes every exported function for a plugin.
export const FlightRecorder = async (ctx) => {
  // What is known of each session: its parent where it is a sub-agent's, the agent's name.
  const sessions = new Map()
  // Calls that have begun and not ended: when, and with which arguments.
  const open = new Map()
  let version

  const key = (input) => `${input.sessionID} ${input.callID}`

  // The session that a person started: sub-agents have sessions of their own, with the one that asked as parent.
  const root = (id) => {
    let at = id
    for (let depth = 0; depth < 16 && sessions.get(at)?.parent; depth++) at = sessions.get(at).parent
    return at === id ? undefined : at
  }

  const message = (hook, input, rest) =>
    JSON.stringify({
      hook,
      directory: ctx.directory ?? process.cwd(),
      version,
      parent: root(input.sessionID),
      agent: sessions.get(input.sessionID)?.agent,
      input,
      ...rest,
    })

  // `fr` says in one line what it could not record; a terminal that opencode draws on is no place for it.
  const log = (text) => {
    try {
      const sent = ctx.client?.app?.log?.({ body: { service: "fr", level: "warn", message: text.trim() } })
      sent?.catch?.(() => {})
    } catch {}
  }

  // What `fr` prints; nothing where it cannot be run, fails or takes too long.
  const ask = (text) =>
    new Promise((resolve) => {
      let child, timer
      const printed = { out: "", err: "" }
      const done = (answer) => {
        clearTimeout(timer)
        if (printed.err) log(printed.err)
        printed.err = ""
        resolve(answer)
      }
      try {
        child = spawn(program(), ["hook", "opencode"], { stdio: ["pipe", "pipe", "pipe"] })
        for (const [name, stream] of [["out", child.stdout], ["err", child.stderr]]) {
          stream.setEncoding("utf8")
          stream.on("data", (chunk) => {
            if (printed[name].length < MOST_OUTPUT) printed[name] += chunk
          })
        }
        child.on("error", (cause) => {
          printed.err ||= `fr: not recorded: cannot run fr: ${cause.message}`
          done("")
        })
        child.on("close", (code) => done(code === 0 ? printed.out : ""))
        child.stdin.on("error", () => {})
        child.stdin.end(text)
        timer = setTimeout(() => {
          printed.err ||= `fr: not recorded: no answer in ${WAIT_MS / 1000} s`
          child.kill("SIGKILL")
          done("")
        }, WAIT_MS)
      } catch (cause) {
        printed.err ||= `fr: not recorded: ${cause}`
        done("")
      }
    })

  // For what opencode does not wait for: it may exit right after its last event.
  const tell = (text) => {
    const ran = spawnSync(program(), ["hook", "opencode"], {
      input: text,
      stdio: ["pipe", "ignore", "ignore"],
      timeout: EVENT_WAIT_MS,
      killSignal: "SIGKILL",
    })
    if (ran.error) log(`fr: not recorded: ${ran.error.message}`)
  }

  // Why the call must not run; nothing where it may.
  const denial = (answer) => {
    try {
      const { decision, reason } = JSON.parse(answer)
      return decision === "deny" ? `fr: ${reason || "denied"}` : undefined
    } catch {
      return undefined
    }
  }

  const failed = (part) => {
    const input = { tool: part.tool, sessionID: part.sessionID, callID: part.callID }
    const begun = open.get(key(input))
    if (!begun) return
    open.delete(key(input))
    const error = String(part.state.error ?? "").slice(0, 4096)
    tell(message("tool.failed", { ...input, args: begun.args }, { error, duration_ms: Date.now() - begun.at }))
  }

  const happened = (event) => {
    const about = event.properties ?? {}
    switch (event.type) {
      case "message.part.updated":
        if (about.part?.type === "tool" && about.part.state?.status === "error") failed(about.part)
        return
      case "session.created": {
        const info = about.info ?? {}
        version = info.version ?? version
        sessions.set(info.id, { parent: info.parentID, agent: info.agent })
        return tell(message(event.type, { sessionID: info.id }))
      }
      case "session.deleted":
        return tell(message(event.type, { sessionID: about.info?.id }))
      case "session.idle":
        return tell(message(event.type, { sessionID: about.sessionID }))
    }
  }

  return {
    "tool.execute.before": async (input, output) => {
      let reason
      try {
        const { tool, sessionID, callID } = input
        const args = output?.args
        reason = denial(await ask(message("tool.execute.before", { tool, sessionID, callID }, { output: { args } })))
        open.set(key(input), { at: Date.now(), args })
      } catch (cause) {
        log(`fr: not recorded: ${cause}`)
      }
      if (reason) throw new Error(reason)
    },

    "tool.execute.after": async (input, output) => {
      try {
        const { tool, sessionID, callID } = input
        const begun = open.get(key(input))
        open.delete(key(input))
        const args = input.args ?? begun?.args
        // Not the output itself: nobody needs it, and it may be large.
        const metadata = output?.metadata && "exit" in output.metadata ? { exit: output.metadata.exit } : {}
        const duration_ms = begun ? Date.now() - begun.at : undefined
        const ended = { output: { metadata, isError: output?.isError }, duration_ms }
        await ask(message("tool.execute.after", { tool, sessionID, callID, args }, ended))
      } catch (cause) {
        log(`fr: not recorded: ${cause}`)
      }
    },

    event: async ({ event }) => {
      try {
        happened(event)
      } catch (cause) {
        log(`fr: not recorded: ${cause}`)
      }
    },
  }
}
