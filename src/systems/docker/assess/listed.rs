//! `docker rm $(docker ps -aq)`: a list that the engine itself makes can be asked for before the command runs.

use crate::model::{Invocation, Word};
use crate::systems::docker::query::{Ask, Kind, Loss};

/// `docker ps -aq | xargs docker rm` as `docker rm $(docker ps -aq)`; `None` where the other end of the pipe is another command.
pub fn named(inv: &Invocation) -> Option<Invocation> {
    let text = format!("$({})", inv.dynamic_from.as_ref()?);
    let list = Word { text: text.as_str().into(), certain: false, glob: false };
    asked(&list, inv.program()?, Loss::Nothing)?;
    let is_mark = |word: &&mut Word| !word.certain && matches!(word.text.as_slice(), b"{}" | b"%");
    let mut named = inv.clone();
    (named.dynamic_args, named.dynamic_from) = (None, None);
    let mut marked = false;
    for word in named.argv.iter_mut().filter(is_mark) {
        (*word, marked) = (list.clone(), true);
    }
    // Where an item is only a part of a word, nothing says what that is.
    if !marked && named.argv.iter().any(|word| !word.certain) {
        return None;
    }
    if !marked {
        named.argv.push(list);
    }
    Some(named)
}

/// The question that a command substitution asks; `None` where it is another one.
pub fn asked(word: &Word, program: &str, loss: Loss) -> Option<Ask> {
    let text = word.text.as_str()?;
    let inner = text.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')'));
    let inner = inner.or_else(|| text.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')))?;
    if inner.contains(|c: char| "|;&$`<>(){}*?\\\"'~\n".contains(c)) {
        return None;
    }
    let mut words = inner.split_whitespace();
    if words.next()? != program {
        return None;
    }
    let noun = words.next()?;
    let kind = match noun {
        "ps" => Kind::Container,
        "images" => Kind::Image,
        "container" | "volume" | "image" | "network" => {
            if !matches!(words.next()?, "ls" | "list") {
                return None;
            }
            match noun {
                "container" => Kind::Container,
                "volume" => Kind::Volume,
                "image" => Kind::Image,
                _ => Kind::Network,
            }
        }
        _ => return None,
    };
    let (mut every, mut quiet, mut filters) = (false, false, Vec::new());
    while let Some(word) = words.next() {
        match word {
            "-a" | "--all" => every = true,
            "-q" | "--quiet" => quiet = true,
            "-aq" | "-qa" => (every, quiet) = (true, true),
            "--no-trunc" => {}
            "-f" | "--filter" => filters.push(words.next()?.to_owned()),
            "-qf" => (quiet, filters) = (true, vec![words.next()?.to_owned()]),
            _ => filters.push(word.strip_prefix("--filter=")?.to_owned()),
        }
    }
    match kind {
        _ if !quiet => None,
        Kind::Container => Some(Ask::Containers { running: !every, loss, filters }),
        kind => Some(Ask::All { kind, filters }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lists_of_ids_of_the_same_engine_are_asked() {
        let word = |text: &str| Word { text: text.into(), certain: false, glob: false };
        let of = |text: &str| asked(&word(text), "docker", Loss::Container);
        let containers = |running, filters: &[&str]| {
            let filters = filters.iter().map(|f| (*f).to_owned()).collect();
            Some(Ask::Containers { running, loss: Loss::Container, filters })
        };
        assert_eq!(of("$(docker ps -aq)"), containers(false, &[]));
        assert_eq!(
            of("`docker container ls -q --filter status=exited`"),
            containers(true, &["status=exited"])
        );
        assert_eq!(
            of("$(docker volume ls -qf dangling=true)"),
            Some(Ask::All { kind: Kind::Volume, filters: vec!["dangling=true".to_owned()] })
        );
        for other in [
            "$(docker ps -a)",
            "$(docker ps -aq | head -1)",
            "$(podman ps -aq)",
            "$(docker -H x ps -aq)",
            "$(cat list)",
            "$(docker ps -aq -n 1)",
            "x$(docker ps -aq)",
            "docker ps -aq",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
