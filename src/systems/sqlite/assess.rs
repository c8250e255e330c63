//! What `sqlite3` will do, from its words alone. All effects of a command carry the same locator: the database's file.

use super::NAME;
use crate::model::{
    Bytes, Effect, EffectClass as C, Invocation, Locator, Reversibility as R, Stdin, SystemId, Word,
};
use crate::shell::options::{Spec, read};
use crate::sql::{self, Act, Dialect};
use crate::systems::AssessCx;
use crate::systems::tables::{self, NOT_KEPT, SCRIPT};

/// sqlite3's options have one dash or two.
const SPEC: Spec = Spec { short: "", attached: "", long: LONG, flags: &[], posix: true };
const LONG: &[&str] = &[
    "--cmd",
    "--separator",
    "--init",
    "--newline",
    "--nullvalue",
    "--mmap",
    "--maxsize",
    "--vfs",
    "--lookaside",
    "--pagecache",
    "--escape",
];

/// What an invocation does.
pub fn assess(inv: &Invocation, _: &AssessCx<'_>) -> Vec<Effect> {
    // `-readonly` as `--readonly`: one table for both.
    let doubled = |word: &Word| match word.text.as_str() {
        Some(text) if text.starts_with('-') && !text.starts_with("--") && text.len() > 2 => {
            Word { text: Bytes::from(format!("-{text}")), ..word.clone() }
        }
        _ => word.clone(),
    };
    let args: Vec<Word> = inv.args().iter().map(doubled).collect();
    let options = read(&SPEC, &args);
    if options.has(&["--version", "--help"]) {
        return Vec::new();
    }
    let database = options.operands.first().map(|w| (*w).clone());
    let mut texts: Vec<Word> = options.values(&["--cmd"]).cloned().collect();
    texts.extend(options.operands.iter().skip(1).map(|w| (*w).clone()));
    let mut acts = Vec::new();
    let mut certain = true;
    let mut unknown = None;
    let own = options.operands.len() > 1;
    match &inv.stdin {
        _ if own => {}
        Stdin::Text(word) => texts.push(word.clone()),
        Stdin::File(word) => acts.push(Act::script(&word.text.lossy())),
        _ => acts.push(Act::anything("sqlite3")),
    }
    for text in &texts {
        certain &= text.certain;
    }
    let script: Vec<String> = texts.iter().map(|t| t.text.lossy().into_owned()).collect();
    let reading = sql::read(&script.join("\n;\n"), Dialect::Sqlite);
    acts.extend(reading.acts);
    if !certain && acts.is_empty() {
        acts.push(Act::anything("a statement that is not known before it runs"));
    }
    if options.has(&["--readonly"]) {
        acts.retain(Act::is_outside);
    }
    let memory = |w: &Word| matches!(w.text.as_slice(), b"" | b":memory:");
    if database.as_ref().is_none_or(memory) {
        acts.retain(Act::is_outside);
    }
    if database.as_ref().is_some_and(|w| !w.certain) {
        unknown = Some("the database is not known before it runs");
    }
    let mut locator = locator(inv, database.as_ref(), unknown);
    if certain && own | matches!(inv.stdin, Stdin::Text(_)) {
        // What the rows of a large database are found by.
        locator.unsaid.insert(SCRIPT.to_owned(), script.join("\n;\n").into());
    }
    let mut effects: Vec<Effect> = acts
        .iter()
        .filter(|act| !act.resource.is_empty())
        .filter_map(|act| effect(act, certain, &locator, inv))
        .collect();
    let inside = |act: &&Act| !act.is_outside();
    if let (Some(class), Some(database)) = (acts.iter().filter(inside).map(|a| a.class).max(), database)
        && class != C::Opaque
    {
        effects.push(Effect {
            system: SystemId::new(NAME),
            class,
            resource: Bytes([b"path:", database.text.as_slice()].concat()),
            reversibility: R::Exact,
            certain: database.certain,
            locator: Some(locator),
        });
    }
    effects
}

fn effect(act: &Act, certain: bool, locator: &Locator, inv: &Invocation) -> Option<Effect> {
    if let Some(path) = act.resource.strip_prefix("path:") {
        return tables::file(inv, act.class, path);
    }
    Some(Effect {
        system: SystemId::new(NAME),
        class: act.class,
        resource: Bytes::from(act.resource.as_str()),
        reversibility: act.reversibility,
        certain: act.certain && certain,
        locator: Some(locator.clone()),
    })
}

/// The file: `file:` URIs are read by SQLite itself, so only their path counts here.
fn locator(inv: &Invocation, database: Option<&Word>, unknown: Option<&str>) -> Locator {
    let not_kept = |why: &str| {
        let mut locator =
            Locator { at: inv.cwd.clone().unwrap_or_else(|| Bytes::from("/")), ..Locator::default() };
        locator.opts.insert(NOT_KEPT.to_owned(), why.into());
        locator
    };
    if let Some(why) = unknown {
        return not_kept(why);
    }
    let Some(cwd) = &inv.cwd else { return not_kept("the directory that it runs in is not known") };
    let Some(database) = database else { return not_kept("it names no database") };
    let text = database.text.lossy().into_owned();
    let path = match text.strip_prefix("file:") {
        Some(uri) => uri.split('?').next().unwrap_or_default().trim_start_matches("//").as_bytes().to_vec(),
        None => database.text.as_slice().to_vec(),
    };
    Locator { at: cwd.join(&path), ..Locator::default() }
}
