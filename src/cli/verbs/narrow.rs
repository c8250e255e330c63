//! What a view is narrowed to, as the index understands it.

use crate::cli::args::Narrow;
use crate::cli::render::when;
use crate::cli::usage;
use crate::error::Result;
use crate::journal::index::Filter;
use crate::model::EffectClass;
use crate::platform::clock;

/// The filter for at most so many events.
pub fn filter(narrow: &Narrow, limit: usize) -> Result<Filter> {
    let now = clock::now_ns();
    let moment = |text: &Option<String>| text.as_ref().map(|t| when::parse_moment(t, now)).transpose();
    let path = match &narrow.path {
        Some(path) => Some(std::path::absolute(path).map_err(|e| usage(format!("not a path: {e}")))?),
        None => None,
    };
    Ok(Filter {
        since_ns: moment(&narrow.since)?,
        until_ns: moment(&narrow.until)?,
        session: narrow.session.clone(),
        actor: narrow.actor.clone(),
        system: narrow.system.clone(),
        effect: narrow.effect.as_deref().map(effect).transpose()?,
        path: path.map(|p| crate::model::Bytes::from(p).0),
        grep: narrow.grep.as_ref().map(|g| g.as_bytes().to_vec()),
        failed: narrow.failed,
        changes: narrow.changes,
        limit,
        ..Filter::default()
    })
}

/// An effect class by its word.
pub fn effect(word: &str) -> Result<EffectClass> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).map_err(|_| {
        usage(format!("no effect class is called {word}")).hint(
            "one of: none create mutate access disrupt overwrite destroy weaken state-only publish opaque",
        )
    })
}
