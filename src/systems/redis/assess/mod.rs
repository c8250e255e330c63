//! What `redis-cli` will do, from its words and from a text on its input that is known, and which keys have to be read
//! before it may run.

mod flags;
mod verbs;

use super::query::{self, Ask};
use super::text;
use crate::model::{Bytes, Effect, EffectClass as C, Invocation, Reversibility as R, Stdin, Word};
use crate::systems::AssessCx;
use crate::systems::words::Reader;

/// The base names of the programs understood here.
pub const PROGRAMS: &[&str] = &["redis-cli", "valkey-cli"];

/// A command that is being read.
pub struct Asking<'a> {
    out: Reader<'a>,
    ask: Ask,
    /// The database that is selected.
    db: u32,
    not_kept: Option<String>,
    any: bool,
}

impl Asking<'_> {
    /// An effect on keys of the selected database, which are asked for.
    fn keys(&mut self, class: C, keys: &[&Word]) {
        self.out.each(class, "redis:", keys, R::Exact);
        self.want(self.db, keys);
    }

    fn want(&mut self, db: u32, keys: &[&Word]) {
        self.any = true;
        if keys.iter().any(|key| !key.certain) || self.out.inv.dynamic_args.is_some() {
            return self.not_kept("its keys are not known before it runs");
        }
        self.ask.keys.entry(db).or_default().extend(keys.iter().map(|key| key.text.clone()));
    }

    fn not_kept(&mut self, why: &str) {
        self.any = true;
        self.not_kept.get_or_insert_with(|| why.to_owned());
    }
}

/// What an invocation of one of [`PROGRAMS`] does.
pub fn assess(inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
    let args = inv.args();
    let asks = |w: &Word| matches!(w.as_str(), Some("--help" | "--version"));
    if args.iter().any(asks) || matches!(args, [w] if matches!(w.as_str(), Some("help" | "version" | "-v"))) {
        return Vec::new();
    }
    let mut asking =
        Asking { out: Reader::new(inv, super::ID), ask: Ask::default(), db: 0, not_kept: None, any: false };
    let read = flags::read(inv, cx);
    asking.db = read.db;
    if let Some(file) = &read.rdb {
        asking.out.word(C::Overwrite, "path:", file, R::Exact);
        if let (Some(effect), Some(cwd)) = (asking.out.effects.last_mut(), &inv.cwd) {
            effect.system = crate::model::SystemId::new("fs");
            effect.locator = file.certain.then(|| crate::systems::locator(cwd.join(file.text.as_slice())));
        }
        return asking.out.effects;
    }
    if read.only_looks {
        return Vec::new();
    }
    let words: Vec<&Word> = args.get(read.at..).unwrap_or_default().iter().collect();
    if let Some(script) = &read.eval {
        // `--eval FILE key key , arg arg`
        let keys: Vec<&Word> = words.iter().copied().take_while(|w| w.as_str() != Some(",")).collect();
        asking.out.opaque("redis --eval");
        asking.want(asking.db, &keys);
        asking.ask.besides =
            Some(format!("keys that the script {} writes by other names", script.text.lossy()));
    } else if !words.is_empty() {
        let fed = read.feeds_last.then(|| Word { certain: false, ..Word::literal("(stdin)") });
        let words: Vec<&Word> = words.into_iter().chain(fed.iter()).collect();
        verbs::read(&words, &mut asking);
    } else {
        fed(&inv.stdin, read.pipes, &mut asking);
    }
    finish(asking, read.access)
}

/// Commands on standard input, a line each.
fn fed(stdin: &Stdin, protocol: bool, out: &mut Asking<'_>) {
    match stdin {
        Stdin::Text(word) if word.certain && !protocol => {
            let text = word.text.lossy().into_owned();
            for line in text.lines().filter(|l| !l.trim().is_empty()) {
                let Some(words) = text::words(line) else {
                    out.out.opaque("redis-cli");
                    continue;
                };
                // A number in front repeats the command.
                let skip = usize::from(words.first().is_some_and(|w| w.parse::<u32>().is_ok()));
                let words: Vec<Word> = words.into_iter().skip(skip).map(Word::literal).collect();
                verbs::read(&words.iter().collect::<Vec<_>>(), out);
            }
        }
        // Typed by somebody: each command is sent when it is typed.
        Stdin::Inherited if !protocol => out.out.opaque("redis-cli"),
        _ => {
            out.out.opaque("redis commands on its input");
            out.any = true;
            out.ask.all = true;
        }
    }
}

fn finish(asking: Asking<'_>, access: Result<query::Access, String>) -> Vec<Effect> {
    let inv = asking.out.inv;
    let at = inv.cwd.clone().unwrap_or_else(|| Bytes::from("/"));
    let place = match (asking.not_kept, access) {
        _ if !asking.any => None,
        (Some(why), _) | (None, Err(why)) => Some(query::not_kept(at, &why)),
        (None, Ok(access)) => Some(query::locator(&access, &asking.ask)),
    };
    let mut effects = asking.out.effects;
    for effect in effects.iter_mut().filter(|effect| effect.system.0 == super::ID) {
        effect.locator.clone_from(&place);
    }
    effects
}
