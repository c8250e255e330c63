//! What a client's command line says: the effects of its statements, and what a capture has to read. One command is one
//! question: all its effects carry the same locator, and it is captured once.

use serde::Serialize;

use super::Input;
use crate::model::{
    Bytes, Effect, EffectClass as C, Invocation, Locator, Reversibility as R, Stdin, SystemId, Word,
};
use crate::sql::{self, Act, Dialect, Touch};

/// Option of a locator: why nothing can be read.
pub const NOT_KEPT: &str = "not-kept";
/// Unsaid options: how the server is reached, and what is run there.
pub const ACCESS: &str = "access";
/// The same: what is run there.
pub const SCRIPT: &str = "script";

/// A client's session, as far as its command line tells it.
pub struct Said<'a> {
    inv: &'a Invocation,
    system: &'static str,
    dialect: Dialect,
    effects: Vec<Effect>,
    /// What it runs.
    pub inputs: Vec<Input>,
    not_kept: Option<String>,
}

impl<'a> Said<'a> {
    /// Nothing read yet.
    pub fn new(inv: &'a Invocation, system: &'static str, dialect: Dialect) -> Said<'a> {
        Said { inv, system, dialect, effects: Vec::new(), inputs: Vec::new(), not_kept: None }
    }

    /// Something of the server itself.
    pub fn add(&mut self, class: C, resource: impl Into<String>, reversibility: R) {
        self.act(&Act::new(class, resource, reversibility, Touch::Server), true);
    }

    /// What a statement does.
    pub fn act(&mut self, act: &Act, certain: bool) {
        if act.resource.is_empty() {
            return;
        }
        if let Some(path) = act.resource.strip_prefix("path:") {
            self.effects.extend(file(self.inv, act.class, path));
            return;
        }
        let wanted = act.touch != Touch::Nothing || act.class.is_destructive() || act.class == C::Opaque;
        self.effects.push(Effect {
            system: SystemId::new(self.system),
            class: act.class,
            resource: Bytes::from(act.resource.as_str()),
            reversibility: act.reversibility,
            certain: act.certain && certain,
            // Where it is found is filled in at the end.
            locator: wanted.then(Locator::default),
        });
    }

    /// A file, or a program, that the client writes to.
    pub fn output(&mut self, path: Option<&Word>, class: C) {
        let Some(path) = path else { return };
        match path.as_str() {
            Some(text) if text.starts_with('|') => self.act(&Act::program("output into a program"), true),
            Some(text) => self.effects.extend(file(self.inv, class, text)),
            None => self
                .act(&Act::new(class, format!("dyn:{}", path.text.lossy()), R::Exact, Touch::Nothing), false),
        }
    }

    /// Statements among the arguments.
    pub fn text(&mut self, word: &Word) {
        if !word.certain {
            self.not_kept("its statements are not known before it runs");
        }
        match word.text.as_str() {
            Some(text) => self.inputs.push(Input::Text(text.to_owned())),
            None => self.not_kept("its statements are no text"),
        }
    }

    /// A file of statements.
    pub fn script(&mut self, word: &Word) {
        let path = word.text.lossy().into_owned();
        self.act(&Act::script(&path), word.certain);
        match word.certain {
            true => self.inputs.push(Input::File(path)),
            false => self.not_kept("its script is not known before it runs"),
        }
    }

    /// What it reads from its standard input.
    pub fn stdin(&mut self, program: &str) {
        match self.inv.stdin.clone() {
            Stdin::Text(word) => self.text(&word),
            Stdin::File(word) => self.script(&word),
            // A restored dump, as a rule.
            Stdin::Pipe => {
                self.act(&Act::anything(program), false);
                self.inputs.push(Input::Unknown);
            }
            Stdin::Inherited => {
                self.act(&Act::anything(program), false);
                self.not_kept("its statements come from a person");
            }
        }
    }

    /// The whole session is one script: transactions go on from one part to the next.
    pub fn read_all(&mut self) {
        let texts: Vec<&str> = self
            .inputs
            .iter()
            .filter_map(|i| if let Input::Text(t) = i { Some(t.as_str()) } else { None })
            .collect();
        let mut acts = sql::read(&texts.join("\n;\n"), self.dialect).acts;
        acts.dedup();
        let certain = self.not_kept.is_none();
        if !certain && acts.is_empty() && !texts.is_empty() {
            acts.push(Act::anything("a statement that is not known before it runs"));
        }
        acts.iter().for_each(|act| self.act(act, certain));
    }

    /// A database that goes or is made; `None`: it is not named.
    pub fn database(&mut self, named: Option<&Word>, dropped: bool) {
        let class = if dropped { C::Destroy } else { C::Create };
        let reversibility = if dropped { R::Recreate } else { R::Exact };
        if let Some(source) = self.inv.dynamic_args.clone() {
            self.add(class, format!("dyn:{source}"), reversibility);
            return self.not_kept("its targets are named when it runs");
        }
        let Some(word) = named else { return };
        let name = word.text.lossy().into_owned();
        match word.certain {
            true => {
                self.add(class, format!("sql:database:{name}"), reversibility);
                self.inputs.push(Input::Database { name, dropped });
            }
            false => {
                self.add(class, format!("dyn:{name}"), reversibility);
                self.not_kept("the database is not known before it runs");
            }
        }
    }

    /// Nothing can be read beforehand, and why. The first reason counts.
    pub fn not_kept(&mut self, why: &str) {
        self.not_kept.get_or_insert_with(|| why.to_owned());
    }

    /// The effects, each with where its targets are found: `reached` tells how, or why not.
    pub fn finish<A: Serialize>(
        mut self,
        reached: impl FnOnce() -> Result<(Locator, A), String>,
    ) -> Vec<Effect> {
        let found = match self.not_kept.take() {
            Some(why) => Err(why),
            None => reached(),
        };
        let locator = match found {
            Ok((mut locator, access)) => {
                let text = |of: serde_json::Result<String>| Bytes::from(of.unwrap_or_default());
                locator.unsaid.insert(ACCESS.to_owned(), text(serde_json::to_string(&access)));
                locator.unsaid.insert(SCRIPT.to_owned(), text(serde_json::to_string(&self.inputs)));
                locator
            }
            Err(why) => {
                let at = self.inv.cwd.clone().unwrap_or_else(|| Bytes::from("/"));
                let mut locator = Locator { at, ..Locator::default() };
                locator.opts.insert(NOT_KEPT.to_owned(), why.into());
                locator
            }
        };
        for effect in self.effects.iter_mut().filter(|e| e.system.0 == self.system && e.locator.is_some()) {
            effect.locator = Some(locator.clone());
        }
        self.effects
    }
}

/// A file that a client writes is the file system's.
pub fn file(inv: &Invocation, class: C, path: &str) -> Option<Effect> {
    if matches!(path, "/dev/null" | "/dev/stdout" | "/dev/stderr" | "-") {
        return None;
    }
    let mut locator =
        inv.cwd.as_ref().map(|cwd| Locator { at: cwd.join(path.as_bytes()), ..Locator::default() });
    locator.iter_mut().for_each(|place| drop(place.opts.insert("scope".to_owned(), "node".into())));
    let resource = Bytes::from(format!("path:{path}"));
    Some(Effect {
        system: SystemId::new("fs"),
        class,
        resource,
        reversibility: R::Exact,
        certain: true,
        locator,
    })
}
