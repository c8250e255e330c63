//! What AWS commands will do, from their words alone, and what has to be read before they may run. One command is one
//! question: all its effects carry the same locator, and it is captured once.

mod access;
mod classes;
mod inline;
mod local;
mod operation;
mod s3;
mod s3api;
mod types;

use super::query::{self, Query};
use super::words::Words;
use crate::model::{Bytes, Effect, EffectClass, Invocation, Locator, Reversibility, SystemId, Word};
use crate::systems::AssessCx;

/// The base names of the programs understood here.
pub const PROGRAMS: &[&str] = &["aws"];

/// What an invocation of one of [`PROGRAMS`] does.
pub fn assess(inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
    let words = Words::split(inv.args());
    let asks = |w: &&Word| matches!(w.as_str(), Some("--help" | "help"));
    if words.is_harmless() || inv.args().iter().find(asks).is_some_and(|w| w.as_str() == Some("--help")) {
        return Vec::new();
    }
    let mut out = Reader { words, inv, cx, effects: Vec::new(), not_kept: None };
    let (service, op) = (out.words.operand(0).to_owned(), out.words.operand(1).to_owned());
    match (service.as_str(), op.as_str()) {
        ("", _) if out.words.operands.first().is_some_and(|w| !w.certain) => out.opaque("aws service"),
        ("" | "help", _) => {}
        // A service alone is a usage error, unless it is an alias of the user's (~/.aws/cli/alias).
        (service, "") if out.words.operands.len() == 1 => alone(service, &mut out),
        (_, "") => out.opaque("aws operation"),
        ("s3", op) => s3::read(op, &mut out),
        ("s3api", op) => s3api::read(op, &mut out),
        (service, op) if local::read(service, op, &mut out) => {}
        (service, op) => operation::read(service, op, &mut out),
    }
    out.finish()
}

fn alone(service: &str, out: &mut Reader<'_>) {
    match service {
        "configure" => local::config(out),
        "login" | "logout" => local::login(out),
        "s3" | "s3api" | "sts" | "ec2" | "iam" | "history" => {}
        other => out.opaque(&format!("aws alias {other}")),
    }
}

/// A command that is being read.
struct Reader<'a> {
    words: Words<'a>,
    inv: &'a Invocation,
    cx: &'a AssessCx<'a>,
    effects: Vec<Effect>,
    /// Why what it changes cannot be read before.
    not_kept: Option<String>,
}

impl Reader<'_> {
    /// Adds an effect on a resource in the target grammar.
    fn add(&mut self, class: EffectClass, resource: impl Into<String>, reversibility: Reversibility) {
        let resource = resource.into();
        let certain = !resource.starts_with("dyn:");
        let (system, resource) = (SystemId::new("aws"), Bytes::from(resource));
        self.effects.push(Effect { system, class, resource, reversibility, certain, locator: None });
    }

    /// An effect that the words do not tell.
    fn opaque(&mut self, how: &str) {
        self.add(EffectClass::Opaque, format!("dyn:{how}"), Reversibility::Recreate);
    }

    /// A file of this machine: the files system's.
    fn file(&mut self, class: EffectClass, word: &Word) {
        let text = word.text.lossy().into_owned();
        if matches!(text.as_str(), "/dev/null" | "/dev/stdout" | "/dev/stderr" | "-") {
            return;
        }
        if !word.certain {
            return self.add(class, format!("dyn:{text}"), Reversibility::Exact);
        }
        self.path(
            class,
            format!("path:{text}"),
            self.inv.cwd.as_ref().map(|cwd| cwd.join(word.text.as_slice())),
        );
    }

    fn path(&mut self, class: EffectClass, resource: String, at: Option<Bytes>) {
        let locator = at.map(|at| {
            let mut locator = crate::systems::locator(at);
            locator.opts.insert("scope".to_owned(), "node".into());
            locator
        });
        let (system, resource) = (SystemId::new("fs"), Bytes::from(resource));
        let reversibility = Reversibility::Exact;
        self.effects.push(Effect { system, class, resource, reversibility, certain: true, locator });
    }

    fn not_kept(&mut self, why: &str) {
        self.not_kept.get_or_insert_with(|| why.to_owned());
    }

    /// The effects, each with where its targets are found. An opaque one has no targets.
    fn finish(mut self) -> Vec<Effect> {
        if let Some(source) = self.inv.dynamic_args.clone()
            && let Some(first) = self.effects.first().filter(|_| self.inv.argv.iter().all(|w| w.certain))
            && !self.effects.iter().any(|e| e.resource.as_slice().starts_with(b"dyn:"))
        {
            let (class, reversibility) = (first.class, first.reversibility);
            self.add(class, format!("dyn:{source}"), reversibility);
        }
        let is_ours = |effect: &Effect| effect.system.0 == "aws" && effect.class != EffectClass::Opaque;
        if !self.effects.iter().any(is_ours) {
            return self.effects;
        }
        let locator = self.locator();
        for effect in self.effects.iter_mut().filter(|effect| is_ours(effect) && effect.locator.is_none()) {
            effect.locator = Some(locator.clone());
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
        if let Some(why) = self.not_kept.take() {
            return Err(why);
        }
        if self.inv.dynamic_args.is_some() {
            return Err("its targets are named when it runs".to_owned());
        }
        let access = access::read(&self.words, self.inv, self.cx)?;
        let mut args = Vec::new();
        for word in &self.words.own {
            let text = word.as_str().ok_or("its targets are not known before it runs")?;
            args.push(text.to_owned());
        }
        Ok(Query { access, args })
    }
}
