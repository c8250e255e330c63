//! What the readers of several systems share: a command's words split into operands and options, and a list of effects.

use crate::model::{Bytes, Effect, EffectClass, Invocation, Reversibility, SystemId, Word};

/// A command being read, and its effects so far.
pub struct Reader<'a> {
    /// The invocation.
    pub inv: &'a Invocation,
    system: &'static str,
    /// What was found.
    pub effects: Vec<Effect>,
}

impl<'a> Reader<'a> {
    /// No effects yet.
    pub fn new(inv: &'a Invocation, system: &'static str) -> Reader<'a> {
        Reader { inv, system, effects: Vec::new() }
    }

    /// Adds an effect on a resource in the target grammar.
    pub fn add(&mut self, class: EffectClass, resource: impl Into<String>, reversibility: Reversibility) {
        let resource = resource.into();
        let certain = !resource.starts_with("dyn:");
        let system = SystemId::new(self.system);
        let resource = Bytes::from(resource);
        self.effects.push(Effect { system, class, resource, reversibility, certain, locator: None });
    }

    /// Adds an effect on what a word names: `prefix` and the word, or `dyn:` where its value is not known.
    pub fn word(&mut self, class: EffectClass, prefix: &str, word: &Word, reversibility: Reversibility) {
        let text = word.text.lossy();
        if prefix == "path:" && matches!(text.as_ref(), "/dev/null" | "/dev/stdout" | "-") {
            return;
        }
        if word.certain {
            self.add(class, format!("{prefix}{text}"), reversibility);
        } else {
            self.add(class, format!("dyn:{text}"), reversibility);
        }
    }

    /// An effect on a file of this machine, which is the files system's to keep. `scope`: `node` (it alone) or `tree`.
    pub fn file(&mut self, class: EffectClass, word: &Word, scope: &str) {
        self.word(class, "path:", word, Reversibility::Exact);
        let at = self.inv.cwd.as_ref().filter(|_| word.certain).map(|cwd| cwd.join(word.text.as_slice()));
        if let Some(effect) = self.effects.last_mut() {
            effect.system = SystemId::new("fs");
            effect.locator = at.map(|at| {
                let mut place = super::locator(at);
                place.opts.insert("scope".to_owned(), scope.into());
                place
            });
        }
    }

    /// The same for several words.
    pub fn each(&mut self, class: EffectClass, prefix: &str, words: &[&Word], reversibility: Reversibility) {
        for word in words {
            self.word(class, prefix, word, reversibility);
        }
        if let Some(source) = &self.inv.dynamic_args
            && self.inv.argv.iter().all(|w| w.certain)
        {
            self.add(class, format!("dyn:{source}"), reversibility);
        }
    }

    /// An effect that the words do not tell.
    pub fn opaque(&mut self, how: &str) {
        self.add(EffectClass::Opaque, format!("dyn:{how}"), Reversibility::Recreate);
    }
}

/// A command's words: operands, and options with their values.
pub struct Words<'a> {
    /// What is no option.
    pub operands: Vec<&'a Word>,
    /// Options with their dashes, in order; the values of repeated ones are kept.
    pub options: Vec<(String, Vec<Word>)>,
}

/// Which options take a value.
#[derive(Clone, Copy)]
pub enum Takes<'t> {
    /// Only these, one each.
    One(&'t [&'t str]),
}

impl<'a> Words<'a> {
    /// Splits words. Options may be `-x`, `--x`, `--x=v`; single letters are not bundled unless both are flags.
    pub fn split(args: &'a [Word], takes: Takes<'_>) -> Words<'a> {
        let mut out = Words { operands: Vec::new(), options: Vec::new() };
        let mut at = 0;
        while let Some(word) = args.get(at) {
            at += 1;
            let text = word.text.as_str().unwrap_or_default();
            if text == "--" {
                out.operands.extend(args.get(at..).unwrap_or_default());
                break;
            }
            if !text.starts_with('-') || text.len() < 2 || text == "-" {
                out.operands.push(word);
                continue;
            }
            if let Some((name, value)) = text.split_once('=') {
                let value = Word { text: value.into(), ..word.clone() };
                out.options.push((name.to_owned(), vec![value]));
                continue;
            }
            let mut values = Vec::new();
            let Takes::One(names) = takes;
            let attached = names
                .iter()
                .find(|n| n.len() == 2 && text.len() > 2 && !text.starts_with("--") && text.starts_with(**n));
            if let Some(name) = attached {
                let value = Word { text: text.get(2..).unwrap_or_default().into(), ..word.clone() };
                out.options.push(((*name).to_owned(), vec![value]));
                continue;
            }
            if names.contains(&text) {
                values.extend(args.get(at).cloned());
                at += 1;
            } else if !text.starts_with("--") && text.len() > 2 {
                // A bundle; its last letter may take a value.
                for (i, c) in text.char_indices().skip(1) {
                    let name = format!("-{c}");
                    let last = i + c.len_utf8() == text.len();
                    let taken = last && names.contains(&name.as_str());
                    let value = if taken { args.get(at).cloned().into_iter().collect() } else { Vec::new() };
                    at += usize::from(taken);
                    out.options.push((name, value));
                }
            }
            out.options.push((text.to_owned(), values));
        }
        out
    }

    /// The same, but options end at the first operand: what follows is another command's.
    pub fn split_first(args: &'a [Word], takes: Takes<'_>) -> Words<'a> {
        let mut end = args.len();
        for at in 0..=args.len() {
            let head = Words::split(args.get(..at).unwrap_or_default(), takes);
            if !head.operands.is_empty() {
                end = at;
                break;
            }
        }
        let mut out = Words::split(args.get(..end).unwrap_or_default(), takes);
        out.operands.extend(args.get(end..).unwrap_or_default());
        out
    }

    /// True where one of the options is given.
    pub fn has(&self, names: &[&str]) -> bool {
        self.options.iter().any(|(n, _)| names.contains(&n.as_str()))
    }

    /// The last value of one of the options.
    pub fn value(&self, names: &[&str]) -> Option<&Word> {
        self.options.iter().rev().find(|(n, _)| names.contains(&n.as_str())).and_then(|(_, v)| v.first())
    }

    /// The text of the last value of one of the options.
    pub fn text(&self, names: &[&str]) -> Option<String> {
        self.value(names).map(|w| w.text.lossy().into_owned())
    }

    /// All values of the options.
    pub fn values<'s>(&'s self, names: &'s [&str]) -> impl Iterator<Item = &'s Word> {
        self.options.iter().filter(move |(n, _)| names.contains(&n.as_str())).flat_map(|(_, v)| v)
    }

    /// An operand's text; empty where there is none.
    pub fn operand(&self, at: usize) -> &str {
        self.operands.get(at).and_then(|w| w.text.as_str()).unwrap_or_default()
    }

    /// The operands from one on.
    pub fn from(&self, at: usize) -> &[&'a Word] {
        self.operands.get(at..).unwrap_or_default()
    }
}
