// fr install wrote this file: it reports what opencode is about to do to `fr hook opencode`. `fr uninstall` removes it.
// opencode waits for plugins without a limit, so this one has its own, and no failure in here may stop a tool.
import { spawn } from "node:child_process"
import { statSync } from "node:fs"

const FR = "@FR@"
const PATIENCE_MS = 60000
const MARKS = /^session\.(created|idle|deleted|error)$/

const binary = () => {
  try {
    if (statSync(FR).mode & 0o111) return FR
  } catch {}
  return "fr"
}

// Gives one report to fr and waits until it has been dealt with; fr's answer, where it means to act.
const report = (hook, context, data) =>
  new Promise((resolve) => {
    let answer = ""
    try {
      const payload = { hook, directory: context.directory, worktree: context.worktree, ...data }
      const child = spawn(binary(), ["hook", "opencode"], { stdio: ["pipe", "pipe", "ignore"] })
      const limit = setTimeout(() => resolve(""), PATIENCE_MS)
      const done = () => {
        clearTimeout(limit)
        resolve(answer)
      }
      child.on("error", done)
      child.on("close", done)
      child.stdout.on("data", (chunk) => (answer += chunk))
      child.stdin.on("error", () => {})
      child.stdin.end(JSON.stringify(payload))
    } catch {
      resolve(answer)
    }
  })

const refusal = (answer) => {
  try {
    const said = JSON.parse(answer)
    return said.decision === "deny" ? String(said.reason ?? "refused by fr") : undefined
  } catch {
    return undefined
  }
}

export const Fr = async (context) => ({
  "tool.execute.before": async (input, output) => {
    const reason = refusal(await report("tool.execute.before", context, { input, output }))
    if (reason) throw new Error(reason)
  },
  "tool.execute.after": async (input, output) => {
    await report("tool.execute.after", context, { input, output })
  },
  event: async ({ event }) => {
    if (MARKS.test(event.type)) await report("event", context, { event })
  },
})
