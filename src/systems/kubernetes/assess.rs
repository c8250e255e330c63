//! What kubectl and helm commands will do, from their words alone, and what has to be read before they may run.
//! One command is one question: all its effects carry the same locator, and it is captured once.

mod access;
mod change;
mod config;
mod delete;
mod helm;
mod listed;
mod make;
mod manifest;
mod place;
mod plugins;
pub mod words;

pub use listed::{from_the_line, lists};
use place::Place;
pub use place::{CONTEXT, NAMESPACE};
pub use plugins::knows as knows_plugin;
use words::Words;

use super::query::{self, Mode, Query};
use crate::model::{Bytes, Effect, EffectClass, Invocation, Locator, Reversibility, SystemId, Word};
use crate::systems::AssessCx;

/// The base names of the programs understood here.
pub const PROGRAMS: &[&str] = &[
    "kubectl",
    "k",
    "oc",
    "kubecolor",
    "microk8s.kubectl",
    "microk8s",
    "k3s",
    "helm",
    "kustomize",
    "kubectx",
    "kubens",
    "helmfile",
    "k9s",
    "stern",
];

/// What an invocation of one of [`PROGRAMS`] does.
pub fn assess(inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
    let Some(program) = inv.program() else { return Vec::new() };
    let mut args = inv.args();
    if matches!(program, "microk8s" | "k3s") {
        // Only their own kubectl is understood; a server that is started or removed is not.
        match args.split_first() {
            Some((first, rest)) if first.as_str() == Some("kubectl") => args = rest,
            Some((first, _)) if matches!(first.as_str(), Some("status" | "--version" | "--help")) => {
                return Vec::new();
            }
            _ => return vec![opaque(&format!("{program} itself"))],
        }
    }
    if asks(args) {
        return Vec::new();
    }
    match program {
        "helm" => helm::read(inv, cx),
        "helmfile" => helm::helmfile(inv),
        "stern" => Vec::new(),
        "k9s" if args.iter().any(|w| w.as_str() == Some("--readonly")) => Vec::new(),
        "k9s" => vec![opaque("k9s session")],
        "kubectx" | "kubens" => config::switch(args, inv, cx),
        "kustomize" => match args.first().and_then(Word::as_str) {
            Some("build") | None => Vec::new(),
            _ => vec![opaque("kustomize edits")],
        },
        _ => kubectl(program, args, inv, cx),
    }
}

/// Help and version change nothing.
fn asks(args: &[Word]) -> bool {
    let before = args.iter().take_while(|w| w.as_str() != Some("--"));
    let help = before.filter_map(Word::as_str).any(|w| w == "--help" || w == "-help" || w == "-h");
    help || matches!(args, [w] if matches!(w.as_str(), Some("help" | "version" | "--version" | "-version" | "-V")))
        || args.first().and_then(Word::as_str) == Some("help")
}

fn opaque(how: &str) -> Effect {
    Effect {
        system: SystemId::new("kubernetes"),
        class: EffectClass::Opaque,
        resource: Bytes::from(format!("dyn:{how}")),
        reversibility: Reversibility::Recreate,
        certain: false,
        locator: None,
    }
}

/// A command that is being read.
struct Reader<'a> {
    words: Words<'a>,
    place: Place,
    inv: &'a Invocation,
    cx: &'a AssessCx<'a>,
    program: &'a str,
    effects: Vec<Effect>,
    /// What is to be asked, once it is known.
    ask: Ask,
}

/// What is to be asked of the cluster.
#[derive(Default)]
struct Ask {
    mode: Mode,
    words: Vec<Word>,
    destroys: bool,
    drains: bool,
    namespaces: Vec<String>,
    /// Why it cannot be asked.
    not_kept: Option<String>,
}

impl<'a> Reader<'a> {
    /// Adds an effect on a resource in the target grammar.
    fn add(&mut self, class: EffectClass, resource: impl Into<String>, reversibility: Reversibility) {
        let resource = resource.into();
        let certain = !resource.starts_with("dyn:");
        let system = SystemId::new("kubernetes");
        let resource = Bytes::from(resource);
        self.effects.push(Effect { system, class, resource, reversibility, certain, locator: None });
    }

    /// The same for several.
    fn each(&mut self, class: EffectClass, resources: Vec<String>, reversibility: Reversibility) {
        resources.into_iter().for_each(|resource| self.add(class, resource, reversibility));
    }

    /// An effect that the words do not tell, and nothing to ask for it.
    fn opaque(&mut self, how: &str) {
        self.effects.push(opaque(how));
    }

    /// Asks with these words, as `kubectl get` takes them.
    fn ask(&mut self, words: &[&Word]) {
        self.ask.words.extend(words.iter().map(|w| (*w).clone()));
    }

    /// Takes over the options that choose objects: selectors, files.
    fn ask_options(&mut self) {
        for (name, value) in &self.words.options {
            let takes = match name.as_str() {
                "--selector" | "--field-selector" | "--filename" | "--kustomize" => true,
                "--all-namespaces" | "--recursive" => false,
                _ => continue,
            };
            self.ask.words.push(Word::literal(name.as_str()));
            if takes {
                self.ask.words.extend(value.clone());
            }
        }
    }

    /// True where objects come from manifests.
    fn has_files(&self) -> bool {
        self.words.any(&["--filename", "--kustomize"])
    }

    fn not_kept(&mut self, why: &str) {
        self.ask.not_kept.get_or_insert_with(|| why.to_owned());
    }

    /// The effects, each with where its targets are found. An opaque one has no targets.
    fn finish(mut self) -> Vec<Effect> {
        if let Some(source) = self.inv.dynamic_args.clone()
            && let Some(first) = self.effects.first().filter(|_| self.inv.argv.iter().all(|w| w.certain))
        {
            let (class, reversibility) = (first.class, first.reversibility);
            if !self.effects.iter().any(|e| e.resource.as_slice().starts_with(b"dyn:")) {
                self.add(class, format!("dyn:{source}"), reversibility);
            }
        }
        let locator = self.locator();
        for effect in &mut self.effects {
            let is_ours = effect.system.0 == "kubernetes" && effect.class != EffectClass::Opaque;
            if is_ours && effect.locator.is_none() {
                effect.locator = Some(locator.clone());
            }
        }
        self.effects
    }

    fn locator(&mut self) -> Locator {
        let at = self.inv.cwd.clone().unwrap_or_else(|| Bytes::from("/"));
        match self.question() {
            Ok(query) => query.locator(),
            Err(why) => query::not_kept(at, &why),
        }
    }

    fn question(&mut self) -> Result<Query, String> {
        let ask = std::mem::take(&mut self.ask);
        if let Some(why) = ask.not_kept {
            return Err(why);
        }
        if self.inv.dynamic_args.is_some() {
            return Err(query::UNNAMED[0].to_owned());
        }
        let access = access::read(self.program, &self.words, self.inv, self.cx)?;
        let mut words = Vec::new();
        for word in &ask.words {
            let text = word.as_str().ok_or(query::UNNAMED[1])?;
            words.push(text.to_owned());
        }
        let Ask { mode, destroys, drains, namespaces, .. } = ask;
        Ok(Query { access, mode, ask: words, destroys, namespaces, drains, sure: None })
    }
}

/// `oc adm`: nodes as kubectl does it; the rest is not understood.
fn openshift(program: &str, args: &[Word], inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
    let Some(at) = args.iter().position(|w| w.as_str() == Some("adm")) else { return vec![opaque("oc adm")] };
    let mut rest = args.to_vec();
    rest.remove(at);
    match Words::split(&rest).operand(0) {
        "drain" | "cordon" | "uncordon" | "taint" => kubectl(program, &rest, inv, cx),
        "top" | "inspect" | "must-gather" | "" => Vec::new(),
        verb => vec![opaque(&format!("oc adm {verb}"))],
    }
}

/// `kubectl`, `k`, `oc`.
fn kubectl(program: &str, args: &[Word], inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
    let words = Words::split(args);
    if words.is_dry() {
        return Vec::new();
    }
    let place = Place::of(&words);
    let mut out = Reader { words, place, inv, cx, program, effects: Vec::new(), ask: Ask::default() };
    let verb = out.words.operand(0).to_owned();
    match verb.as_str() {
        "delete" => delete::delete(&mut out),
        "apply" => make::apply(&mut out),
        "create" => make::create(&mut out),
        "replace" => make::replace(&mut out),
        "run" => make::run(&mut out),
        "expose" => make::expose(&mut out),
        "autoscale" => make::autoscale(&mut out),
        "patch" | "edit" | "label" | "annotate" | "scale" => change::fields(&verb, &mut out),
        "set" => change::set(&mut out),
        "rollout" => change::rollout(&mut out),
        "drain" | "cordon" | "uncordon" | "taint" => change::nodes(&verb, &mut out),
        "cp" => change::copy(&mut out),
        "certificate" => change::certificate(&mut out),
        "auth" if out.words.operand(1) == "reconcile" => make::reconcile(&mut out),
        "config" => return config::config(&out.words, inv, cx),
        "adm" => return openshift(program, args, inv, cx),
        "login" | "logout" => return vec![config::own(&out.words, inv, cx)],
        "exec" | "attach" | "debug" | "rsh" | "rsync" => out.opaque("kubectl session"),
        "port-forward" | "proxy" => {}
        "get" | "describe" | "logs" | "explain" | "api-resources" | "api-versions" | "cluster-info"
        | "version" | "top" | "auth" | "diff" | "wait" | "completion" | "events" | "kustomize"
        | "options" | "plugin" | "projects" | "process" | "" => {}
        "project" if out.words.operands.len() > 1 => return vec![config::own(&out.words, inv, cx)],
        "project" => {}
        "krew" if matches!(out.words.operand(1), "list" | "search" | "info" | "version" | "") => {}
        "ctx" | "ns" => return config::switch(args.get(1..).unwrap_or_default(), inv, cx),
        "modify-secret" => change::secret(&mut out),
        "evict-pod" => delete::evict(&mut out),
        verb if plugins::reads(verb) => {}
        verb => out.opaque(&format!("kubectl {verb}")),
    }
    out.finish()
}
