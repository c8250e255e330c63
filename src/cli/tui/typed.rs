//! The filter as it is typed: `claude rm` looks for a text, `actor:claude effect:destroy since:2h failed` narrows as the flags
//! of `fr timeline` do.

use std::path::PathBuf;

use crate::cli::args::Narrow;
use crate::cli::verbs::narrow;
use crate::error::Result;
use crate::journal::index::Filter;

/// The words that stand before a colon.
pub const KEYS: &[&str] = &["since", "until", "session", "actor", "system", "effect", "path"];

/// What was typed, as a filter.
pub fn filter(text: &str) -> Result<Filter> {
    let mut narrow = Narrow::default();
    let mut words = Vec::new();
    for word in text.split_whitespace() {
        match word.split_once(':') {
            // One that is only begun narrows nothing yet.
            Some((key, "")) if KEYS.contains(&key) => {}
            Some(("since", value)) => narrow.since = Some(value.to_owned()),
            Some(("until", value)) => narrow.until = Some(value.to_owned()),
            Some(("session", value)) => narrow.session = Some(value.to_owned()),
            Some(("actor", value)) => narrow.actor = Some(value.to_owned()),
            Some(("system", value)) => narrow.system = Some(value.to_owned()),
            Some(("effect", value)) => narrow.effect = Some(value.to_owned()),
            Some(("path", value)) => narrow.path = Some(PathBuf::from(value)),
            _ if word == "failed" => narrow.failed = true,
            _ if word == "changes" => narrow.changes = true,
            _ => words.push(word),
        }
    }
    narrow.grep = Some(words.join(" ")).filter(|grep| !grep.is_empty());
    narrow::filter(&narrow, 0)
}

/// The flags of the command line as they would be typed.
pub fn typed(narrow: &Narrow) -> String {
    let mut words = Vec::new();
    let pairs = [
        ("since", &narrow.since),
        ("until", &narrow.until),
        ("session", &narrow.session),
        ("actor", &narrow.actor),
        ("system", &narrow.system),
        ("effect", &narrow.effect),
    ];
    words.extend(pairs.iter().filter_map(|(key, value)| Some(format!("{key}:{}", value.as_ref()?))));
    words.extend(narrow.path.as_ref().map(|path| format!("path:{}", path.display())));
    words.extend(narrow.failed.then(|| "failed".to_owned()));
    words.extend(narrow.changes.then(|| "changes".to_owned()));
    words.extend(narrow.grep.clone());
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EffectClass;

    #[test]
    fn words_narrow_and_the_rest_is_looked_for() {
        let found = filter("actor:claude  rm -rf effect:destroy failed system:").unwrap();
        assert_eq!(found.actor.as_deref(), Some("claude"));
        assert_eq!((found.effect, found.failed, found.system), (Some(EffectClass::Destroy), true, None));
        assert_eq!(found.grep.as_deref(), Some(&b"rm -rf"[..]));
        assert!(filter("effect:destr").is_err());
        assert_eq!(filter("http://x").unwrap().grep.as_deref(), Some(&b"http://x"[..]), "a colon of its own");
    }
}
