// Plays opencode to a plugin: loads it, calls its hooks in the order of the steps on standard input, and prints what
// came of each. `node harness.mjs PLUGIN DIRECTORY < steps.json`
//
// A step is {hook, input, output} or {event} or {run: "line of shell"}, or a list of steps that run at once.
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { pathToFileURL } from "node:url"

const [file, directory] = process.argv.slice(2)
const logged = []
const client = { app: { log: async ({ body }) => logged.push(body) } }
const loaded = await import(pathToFileURL(file).href)
// As opencode's loader does: every exported function is a plugin (packages/opencode/src/plugin/index.ts).
const plugins = Object.values(loaded).filter((exported) => typeof exported === "function")
if (plugins.length !== 1) throw new Error(`${plugins.length} plugins`)
const hooks = await plugins[0]({ client, directory, worktree: directory })

const take = async (step) => {
  if (Array.isArray(step)) return Promise.all(step.map(take))
  if (step.run) return { ran: execFileSync("bash", ["-c", step.run], { cwd: directory, encoding: "utf8" }) }
  const begun = Date.now()
  let threw = null
  try {
    if (step.event) await hooks.event({ event: step.event })
    else await hooks[step.hook](step.input, step.output)
  } catch (cause) {
    threw = cause.message
  }
  return { threw, ms: Date.now() - begun }
}

const results = []
for (const step of JSON.parse(readFileSync(0, "utf8"))) results.push(await take(step))
console.log(JSON.stringify({ results, logged }))
