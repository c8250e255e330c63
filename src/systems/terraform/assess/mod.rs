//! What a terraform or tofu command will do, from its words and its environment alone.

mod words;

use std::path::Path;

use crate::model::{
    Bytes, Effect, EffectClass as C, Invocation, Locator, Reversibility as R, SystemId, Word,
};
use crate::systems::{self, AssessCx};
use words::{Words, variable};

use super::what;

/// The base names of the programs understood here.
pub const PROGRAMS: &[&str] = &["terraform", "tofu"];

/// Verbs that read.
const READS: &[&str] = &[
    "",
    "plan",
    "show",
    "output",
    "validate",
    "version",
    "graph",
    "providers",
    "console",
    "get",
    "metadata",
    "modules",
    "query",
    "help",
];

/// What of `terraform stacks` only looks.
const STACKS_READ: &[&str] = &["validate", "list", "version", "help"];

/// Variables of the line that say how state and infrastructure are reached. Others (`PATH`, `LD_PRELOAD`) are not taken
/// over: the command is not allowed yet, and what is asked on its behalf must start nothing that it names.
const REACHING: &[&str] = &[
    "TF_",
    "AWS_",
    "ARM_",
    "AZURE_",
    "GOOGLE_",
    "GCLOUD_",
    "CLOUDSDK_",
    "KUBE",
    "PG",
    "CONSUL_",
    "VAULT_",
    "OS_",
    "OCI_",
    "ALICLOUD_",
    "TENCENTCLOUD_",
    "SSL_CERT_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// What an invocation does.
pub fn assess(inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
    let words = Words::of(inv, cx);
    if ["help", "h", "version", "v"].iter().any(|flag| words.on(flag)) {
        return Vec::new();
    }
    let mut reader = Reader::new(inv, &words, cx);
    reader.verb();
    reader.effects
}

struct Reader<'a> {
    inv: &'a Invocation,
    words: &'a Words,
    /// The directory of the root module; `None` where it is not known.
    root: Option<Bytes>,
    place: Option<Locator>,
    home: Option<&'a Path>,
    effects: Vec<Effect>,
}

impl<'a> Reader<'a> {
    fn new(inv: &'a Invocation, words: &'a Words, cx: &AssessCx<'a>) -> Reader<'a> {
        let chdir = words.chdir.as_ref();
        let root = match chdir {
            Some(word) if !word.certain => None,
            Some(word) => inv.cwd.as_ref().map(|cwd| cwd.join(word.text.as_slice())),
            None => inv.cwd.clone(),
        };
        let place = root.clone().map(|root| place(root, inv, words, cx));
        Reader { inv, words, root, place, home: cx.home, effects: Vec::new() }
    }

    fn verb(&mut self) {
        let words = self.words;
        let verb: Vec<&str> = words.verb.iter().map(String::as_str).collect();
        match verb.as_slice() {
            ["destroy"] => self.destroy(),
            ["apply"] if words.on("destroy") => self.destroy(),
            ["apply"] => self.apply(),
            ["refresh"] => self.state(C::StateOnly, "tf:state", R::StateOnly, what::GONE),
            ["taint" | "untaint" | "import"] => {
                let first: Vec<Word> = words.operands.iter().take(1).cloned().collect();
                self.each(C::StateOnly, "tf:", &first, R::Exact, &[what::STATE.to_owned()]);
            }
            ["force-unlock"] => {
                self.add(C::Weaken, "tf:state lock", R::Irreversible, &[what::LOCK.to_owned()]);
            }
            ["state", verb] => self.state_verb(verb),
            ["workspace" | "env", verb] => self.workspace(verb),
            ["init"] => self.init(),
            ["fmt"] => self.fmt(),
            ["login" | "logout"] => {
                let file = self.home.map(|home| Bytes::from(home.join(".terraform.d/credentials.tfrc.json")));
                self.file(C::Access, "path:~/.terraform.d/credentials.tfrc.json", file, "node");
            }
            ["plan" | "query"] => {
                for file in ["out", "generate-config-out"] {
                    if let Some(out) = words.value(file) {
                        self.made_file(out);
                    }
                }
            }
            ["test"] => self.test(),
            ["providers", "lock"] => {
                let file = self.root.as_ref().map(|root| root.join(b".terraform.lock.hcl"));
                self.file(C::Overwrite, "path:.terraform.lock.hcl", file, "node");
            }
            ["providers", "mirror"] => {
                if let Some(to) = words.operands.first() {
                    self.written_file(C::Overwrite, to, "tree");
                }
            }
            ["stacks"] => {}
            ["stacks", verb] if STACKS_READ.contains(verb) => {}
            ["stacks", verb] => self.opaque(&format!("terraform stacks {verb}")),
            [] => {}
            [first, ..] if READS.contains(first) => {}
            [first, ..] => self.opaque(&format!("terraform {first}")),
        }
    }

    fn destroy(&mut self) {
        let targets = self.words.values("target");
        let what = [what::INFRA.to_owned()];
        match targets.as_slice() {
            [] => self.add(C::Destroy, "dyn:plan -destroy", R::Recreate, &what),
            targets => self.each(C::Destroy, "tf:", targets, R::Recreate, &what),
        }
    }

    fn apply(&mut self) {
        if self.words.on("refresh-only") {
            return self.state(C::StateOnly, "tf:state", R::StateOnly, what::GONE);
        }
        let what = [what::INFRA.to_owned()];
        let (replaced, targets) = (self.words.values("replace"), self.words.values("target"));
        if !replaced.is_empty() {
            self.each(C::Destroy, "tf:", &replaced, R::Recreate, &what);
        } else if !targets.is_empty() {
            self.each(C::Mutate, "tf:", &targets, R::Recreate, &what);
        } else if let Some(plan) = self.words.operands.first() {
            // A saved plan may destroy; it looks like any other.
            self.add(C::Opaque, format!("dyn:show -json {}", plan.text.lossy()), R::Recreate, &what);
        } else {
            self.add(C::Mutate, "dyn:plan -out", R::Recreate, &what);
        }
    }

    fn state_verb(&mut self, verb: &str) {
        let operands = self.words.operands.clone();
        match verb {
            "rm" | "mv" if self.words.on("dry-run") => {}
            "rm" | "mv" => {
                let leaves = if verb == "mv" { operands.get(..1).unwrap_or_default() } else { &operands };
                let mut what = vec![what::STATE.to_owned()];
                what.extend(leaves.iter().map(|word| what::leaving(word.as_str())));
                if self.inv.dynamic_args.is_some() {
                    what.push(what::leaving(None));
                }
                self.each(C::StateOnly, "tf:", &operands, R::Exact, &what);
            }
            "replace-provider" => self.state(C::StateOnly, "tf:state", R::StateOnly, what::STATE),
            "push" => {
                let class = if self.words.on("force") { C::Overwrite } else { C::StateOnly };
                self.state(class, "tf:state", R::StateOnly, what::ANY);
            }
            "list" | "show" | "pull" | "identities" | "" => {}
            verb => self.opaque(&format!("terraform state {verb}")),
        }
    }

    fn workspace(&mut self, verb: &str) {
        let (class, promise, what) = match verb {
            // Without force terraform refuses where the workspace holds anything.
            "delete" => {
                let state = if self.words.on("force") { what::ANY } else { what::GONE };
                (C::Destroy, R::StateOnly, format!("{state},{}", what::WORKSPACE))
            }
            "new" => (C::Create, R::Exact, format!("{},{}", what::WORKSPACE, what::SELECTED)),
            "select" => (C::StateOnly, R::Exact, what::SELECTED.to_owned()),
            _ => return,
        };
        let Some(name) = self.words.operands.first().cloned() else { return };
        let own = self.place.clone();
        if let Some(place) = &mut self.place {
            match verb {
                // Which one is selected is of the directory, not of a workspace.
                "select" => drop(place.opts.remove(super::WORKSPACE)),
                _ => drop(place.opts.insert(super::WORKSPACE.to_owned(), name.text.clone())),
            }
        }
        if !name.certain && verb != "select" {
            self.place = None;
        }
        self.each(class, "tf:workspace ", &[name], promise, &[what]);
        self.place = own;
    }

    fn init(&mut self) {
        if ["migrate-state", "reconfigure", "force-copy"].iter().any(|flag| self.words.on(flag)) {
            let what = format!("{},{},{}", what::DIR, what::MOVED, what::leaving(None));
            self.add(C::StateOnly, "tf:backend", R::StateOnly, &[what]);
        } else {
            self.add(C::Create, "path:.terraform", R::Exact, &[what::DIR.to_owned()]);
        }
    }

    fn fmt(&mut self) {
        if (self.words.on("check") || self.words.on("diff")) && !self.words.on("write") {
            return;
        }
        let top = self.root.clone();
        self.file(C::Overwrite, "dyn:files that fmt -list names", top, "workspace");
    }

    /// Tests apply their `run` blocks for real and destroy what these made. Their states are in memory: that of the module
    /// is not touched, and what they could not destroy is in no state.
    fn test(&mut self) {
        if let Some(report) = self.words.value("junit-xml") {
            self.made_file(report);
        }
        let resource = "dyn:what the run blocks of its tests make and destroy";
        self.add(C::Mutate, resource, R::Compensating, &[what::INFRA.to_owned()]);
        let why = "tests keep their states in memory; what they could not destroy is named at the end of what terraform says";
        if let Some(locator) = self.effects.last_mut().and_then(|effect| effect.locator.as_mut()) {
            locator.opts.insert(super::NOT_KEPT.to_owned(), Bytes::from(why));
        }
    }

    /// A file that the command makes.
    fn made_file(&mut self, out: &Word) {
        if !matches!(out.text.lossy().as_ref(), "/dev/null" | "/dev/stdout" | "-") {
            self.written_file(C::Create, out, "node");
        }
    }

    fn written_file(&mut self, class: C, to: &Word, scope: &str) {
        let text = to.text.lossy();
        let (name, file) = match to.certain {
            true => (format!("path:{text}"), self.root.as_ref().map(|root| root.join(to.text.as_slice()))),
            false => (format!("dyn:{text}"), None),
        };
        self.file(class, &name, file, scope);
    }

    fn opaque(&mut self, how: &str) {
        self.add(C::Opaque, format!("dyn:{how}"), R::Recreate, &[what::INFRA.to_owned()]);
    }

    fn state(&mut self, class: C, resource: &str, promise: R, what: &str) {
        self.add(class, resource, promise, &[what.to_owned()]);
    }

    /// An effect on each of some words; more of them may arrive at run time (xargs).
    fn each(&mut self, class: C, prefix: &str, words: &[Word], promise: R, what: &[String]) {
        for word in words {
            let text = word.text.lossy();
            match word.certain {
                true => self.add(class, format!("{prefix}{text}"), promise, what),
                false => self.add(class, format!("dyn:{text}"), promise, what),
            }
        }
        if let Some(source) = &self.inv.dynamic_args
            && self.inv.argv.iter().all(|w| w.certain)
        {
            self.add(class, format!("dyn:{source}"), promise, what);
        }
    }

    fn add(&mut self, class: C, resource: impl Into<String>, reversibility: R, what: &[String]) {
        let resource = resource.into();
        let mut locator = self.place.clone();
        if let Some(locator) = &mut locator {
            locator.opts.insert(what::WHAT.to_owned(), Bytes::from(what.join(",")));
        }
        self.effects.push(Effect {
            system: SystemId::new(super::ID),
            class,
            certain: !resource.starts_with("dyn:"),
            resource: Bytes::from(resource),
            reversibility,
            locator,
        });
    }

    /// A file that the command writes is the files system's.
    fn file(&mut self, class: C, resource: &str, file: Option<Bytes>, scope: &str) {
        let mut locator = file.map(systems::locator);
        if let Some(locator) = &mut locator {
            locator.opts.insert("scope".to_owned(), Bytes::from(scope));
        }
        self.effects.push(Effect {
            system: SystemId::new("fs"),
            class,
            certain: !resource.starts_with("dyn:"),
            resource: Bytes::from(resource),
            reversibility: R::Exact,
            locator,
        });
    }
}

/// Where the command works: what of it is no secret goes into the record, the rest is only known while it is recorded.
fn place(root: Bytes, inv: &Invocation, words: &Words, cx: &AssessCx<'_>) -> Locator {
    let mut place = systems::locator(root.clone());
    let mut set = |name: &str, value: Bytes| drop(place.opts.insert(name.to_owned(), value));
    if inv.program() == Some("tofu") {
        set(super::PROGRAM, Bytes::from("tofu"));
    }
    for (name, option) in [("TF_WORKSPACE", super::WORKSPACE), ("TF_DATA_DIR", super::DATA_DIR)] {
        if let Some(value) = variable(inv, cx, name) {
            set(option, value.clone());
        }
    }
    if let Some(state) = words.value("state").filter(|state| state.certain) {
        set(super::STATE_FILE, root.join(state.text.as_slice()));
    }
    if words.verb.first().is_some_and(|verb| verb == "apply")
        && let Some(plan) = words.operands.first().filter(|plan| plan.certain)
    {
        set(super::PLAN_FILE, root.join(plan.text.as_slice()));
    }
    let reaches = |name: &str| REACHING.iter().any(|front| name.starts_with(front));
    let env: Vec<Vec<u8>> = inv
        .env
        .iter()
        .filter(|(name, _)| reaches(name))
        .filter_map(|(name, value)| Some([name.as_bytes(), b"=", value.as_ref()?.as_slice()].concat()))
        .collect();
    if !env.is_empty() {
        place.unsaid.insert(super::ENV.to_owned(), Bytes(env.join(&0)));
    }
    let vars: Vec<Vec<u8>> = words.variables().into_iter().map(|arg| arg.0).collect();
    if !vars.is_empty() {
        place.unsaid.insert(super::VARS.to_owned(), Bytes(vars.join(&0)));
    }
    place
}
