//! From a word to an effect: the resource as people wrote it, the locator as the capture needs it.

use crate::model::{Bytes, Effect, EffectClass, Invocation, Locator, Reversibility, SystemId, Word};
use crate::systems::AssessCx;
use crate::systems::files::capture::FOLLOW;

/// How much of a path an effect concerns (`docs/systems/files.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The path and everything below it.
    Tree,
    /// Only this path.
    Node,
    /// Only its mode and owner.
    Meta,
}

/// Collects the effects of one invocation.
pub struct Targets<'a> {
    /// The invocation.
    pub inv: &'a Invocation,
    cx: &'a AssessCx<'a>,
    effects: Vec<Effect>,
}

impl<'a> Targets<'a> {
    /// None yet.
    pub fn new(inv: &'a Invocation, cx: &'a AssessCx<'a>) -> Targets<'a> {
        Targets { inv, cx, effects: Vec::new() }
    }

    /// What was collected.
    pub fn into_effects(self) -> Vec<Effect> {
        self.effects
    }

    /// An effect on the path that a word names.
    pub fn add(&mut self, class: EffectClass, word: &Word, scope: Scope) {
        self.add_into(class, word, scope, &[]);
    }

    /// An effect on a path which, should it be a directory, concerns only these names in it.
    pub fn add_into(&mut self, class: EffectClass, word: &Word, scope: Scope, names: &[Bytes]) {
        if !word.certain || word.text.is_empty() {
            self.unresolved(class, word);
            return;
        }
        if matches!(word.text.as_slice(), b"/dev/null" | b"/dev/stdout" | b"/dev/stderr" | b"/dev/tty") {
            return;
        }
        let Some(at) = self.absolute(word.text.as_slice()) else {
            self.workspace(class, &word.text.lossy());
            return;
        };
        let front: &[u8] = if word.glob { b"dyn:glob " } else { b"path:" };
        let resource = [front, &self.written(word.text.as_slice())].concat();
        let mut locator = Locator { at, ..Locator::default() };
        let scope = match scope {
            Scope::Tree => "tree",
            Scope::Node => "node",
            Scope::Meta => "meta",
        };
        locator.opts.insert("scope".into(), scope.into());
        follow(&mut locator, word);
        if !names.is_empty() {
            let joined: Vec<&[u8]> = names.iter().map(Bytes::as_slice).collect();
            locator.opts.insert("into".into(), Bytes(joined.join(&0)));
        }
        self.push(class, Bytes(resource), true, Some(locator));
    }

    /// An effect on what a word would name if its value were known.
    fn unresolved(&mut self, class: EffectClass, word: &Word) {
        let how = match (&self.inv.dynamic_args, word.glob) {
            (_, true) => format!("glob {}", word.text.lossy()),
            (Some(source), _) => source.clone(),
            _ => word.text.lossy().into_owned(),
        };
        // A glob in a directory that is named elsewhere concerns what is there, not the work tree.
        let text = word.text.as_slice();
        let magic = text.iter().position(|c| matches!(c, b'*' | b'?' | b'[' | b'(' | b'$' | b'`'));
        let dir = magic.and_then(|m| text.get(..m)?.iter().rposition(|c| *c == b'/'));
        let dir = dir
            .and_then(|end| text.get(..end.max(1)))
            .filter(|d| d.starts_with(b"/") || d.starts_with(b".."));
        match dir {
            Some(dir) if word.glob => self.below(class, &Word::literal(dir), &how, false),
            _ => self.workspace(class, &how),
        }
        self.below_roots(class);
    }

    /// What `find ../other -exec rm {} +` acts on is not in the work tree: it is below the directories that `find` was given.
    fn below_roots(&mut self, class: EffectClass) {
        let is_outside = |w: &&Word| {
            let text = w.text.as_slice();
            w.certain && (text.starts_with(b"/") || text.split(|c| *c == b'/').next() == Some(b".."))
        };
        for root in self.inv.dynamic_roots.iter().filter(is_outside) {
            self.below(class, root, &format!("what find finds below {}", root.text.lossy()), false);
        }
    }

    /// An effect whose targets only run time knows: all of the work tree may be concerned.
    pub fn workspace(&mut self, class: EffectClass, how: &str) {
        self.workspace_as(class, &format!("dyn:{how}"));
    }

    /// The same, shown as the one resource that is known.
    pub fn workspace_as(&mut self, class: EffectClass, resource: &str) {
        let locator = self.inv.cwd.clone().map(|at| {
            let mut locator = Locator { at, ..Locator::default() };
            locator.opts.insert("scope".into(), "workspace".into());
            locator
        });
        self.push(class, Bytes::from(resource), false, locator);
    }

    /// An effect on things below a directory that is named, which of them only run time knows.
    pub fn below(&mut self, class: EffectClass, dir: &Word, how: &str, meta: bool) {
        let at = dir.as_str().and_then(|_| self.absolute(dir.text.as_slice()));
        let Some(at) = at else {
            self.workspace(class, how);
            return;
        };
        let mut locator = Locator { at, ..Locator::default() };
        locator.opts.insert("scope".into(), "tree".into());
        follow(&mut locator, dir);
        if meta {
            locator.opts.insert("only".into(), "meta".into());
        }
        self.push(class, Bytes::from(format!("dyn:{how}")), false, Some(locator));
    }

    /// The last effect leaves repositories alone, as far as these are more than refs, logs, index and settings.
    pub fn spares_repositories(&mut self) {
        if let Some(locator) = self.effects.last_mut().and_then(|effect| effect.locator.as_mut()) {
            locator.opts.insert(crate::systems::files::SPARES.to_owned(), "git".into());
        }
    }

    /// An effect on something that is no path and is not captured.
    pub fn other(&mut self, class: EffectClass, resource: String, reversibility: Reversibility) {
        let system = match resource.split(':').next() {
            Some("npm" | "crates" | "url" | "pypi" | "gems") => "registry",
            Some("dev" | "host") => "system",
            _ => "fs",
        };
        let certain = !resource.starts_with("dyn:");
        let (system, resource) = (SystemId::new(system), Bytes::from(resource));
        self.effects.push(Effect { system, class, resource, reversibility, certain, locator: None });
    }

    /// The latest effect is on a package registry: the words by which its state there is found. Only names, never a token.
    pub fn on_registry(&mut self, tool: &str, verb: &str, words: &[&str]) {
        let at = self.inv.cwd.clone();
        let known = self.inv.args().iter().all(|w| w.as_str().is_some()) && self.inv.dynamic_args.is_none();
        let Some(effect) = self.effects.last_mut() else { return };
        effect.system = SystemId::new("registry");
        let mut place = Locator { at: at.unwrap_or_default(), ..Locator::default() };
        let words = [tool, verb].into_iter().chain(words.iter().copied()).collect::<Vec<_>>().join("\0");
        if known && !place.at.is_empty() {
            place.opts.insert("words".to_owned(), words.into());
        }
        effect.locator = Some(place);
    }

    /// The latest effect is on what a package manager has installed: the tool is asked for its list by these words before its own.
    pub fn on_packages(&mut self, manager: &str, own: &[&str]) {
        let place = crate::systems::host::packages(manager, own, self.inv);
        if let Some(effect) = self.effects.last_mut() {
            effect.system = SystemId::new("host");
            effect.locator = Some(place);
        }
    }

    fn push(&mut self, class: EffectClass, resource: Bytes, certain: bool, locator: Option<Locator>) {
        let system = SystemId::new("fs");
        let reversibility = Reversibility::Exact;
        self.effects.push(Effect { system, class, resource, reversibility, certain, locator });
    }

    /// Lowers what undo can promise for everything collected so far.
    pub fn promise(&mut self, reversibility: Reversibility) {
        self.effects.iter_mut().for_each(|e| e.reversibility = reversibility);
    }

    /// The operands of a program, and one more that only run time knows where arguments are appended.
    pub fn with_dynamic<'w>(&self, operands: &[&'w Word]) -> Vec<std::borrow::Cow<'w, Word>> {
        use std::borrow::Cow;
        let mut out: Vec<Cow<'w, Word>> = operands.iter().map(|w| Cow::Borrowed(*w)).collect();
        if let Some(source) = &self.inv.dynamic_args
            && self.inv.argv.iter().all(|w| w.certain)
        {
            out.push(Cow::Owned(Word { text: source.as_str().into(), certain: false, glob: false }));
        }
        out
    }

    /// The absolute path of a word, without trailing slashes; `..` at its front is resolved against the directory.
    fn absolute(&self, text: &[u8]) -> Option<Bytes> {
        absolute(self.inv.cwd.as_ref(), text)
    }

    /// A path as people write it: below the home directory with `~`.
    fn written(&self, text: &[u8]) -> Vec<u8> {
        use std::os::unix::ffi::OsStrExt;
        let home = self.cx.home.map(|h| h.as_os_str().as_bytes()).unwrap_or_default();
        match text.strip_prefix(home) {
            Some(rest) if home.len() > 1 && rest.first().is_none_or(|c| *c == b'/') => [b"~", rest].concat(),
            // A name that begins with `~` is none below the home directory: the shell has put that in already.
            _ if text.starts_with(b"~") => [b"./", text].concat(),
            _ => text.to_vec(),
        }
    }
}

/// `link/` is the directory that the link leads to.
fn follow(locator: &mut Locator, word: &Word) {
    let text = word.text.as_slice();
    if text.ends_with(b"/") || text.ends_with(b"/.") {
        locator.opts.insert(FOLLOW.into(), Bytes::from("1"));
    }
}

/// The absolute path of `text` seen from `cwd`.
pub fn absolute(cwd: Option<&Bytes>, text: &[u8]) -> Option<Bytes> {
    let mut parts: Vec<&[u8]> = Vec::new();
    if !text.starts_with(b"/") {
        parts.extend(cwd?.as_slice().split(|c| *c == b'/').filter(|p| !p.is_empty()));
    }
    let mut front = true;
    for part in text.split(|c| *c == b'/') {
        match part {
            b"" | b"." => {}
            b".." if front => {
                parts.pop();
            }
            _ => {
                front = false;
                parts.push(part);
            }
        }
    }
    let mut out = vec![b'/'];
    out.extend(parts.join(&b'/'));
    Some(Bytes(out))
}
