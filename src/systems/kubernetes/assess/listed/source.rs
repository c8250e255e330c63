//! Manifests that come through a pipe from where they can be read before: a file, a kustomization, the words of
//! `kubectl create --dry-run`.

use super::super::make;
use super::super::words::Words;
use super::is_kubectl;
use crate::model::{Invocation, Stdin, Word};
use crate::systems::kubernetes::query::Mode;

/// What a command whose manifests come from a pipe is asked for instead, where that comes to the same.
pub fn of(words: &Words<'_>, inv: &Invocation, earlier: &[Invocation]) -> Option<(Mode, Vec<String>)> {
    let mut files = words.values("--filename");
    let alone = files.next()?.as_str() == Some("-") && files.next().is_none();
    if !alone || inv.stdin != Stdin::Pipe {
        return None;
    }
    let from = earlier.last().filter(|from| from.stdin != Stdin::Pipe && from.remote.is_none())?;
    let is_here = from.cwd == inv.cwd;
    let texts = || from.args().iter().map(Word::as_str).collect::<Option<Vec<_>>>();
    match from.program()? {
        "cat" if is_here => {
            let files = texts()?;
            let plain = !files.is_empty() && !files.iter().any(|file| file.starts_with('-'));
            let words = files.iter().flat_map(|file| ["--filename".to_owned(), (*file).to_owned()]);
            plain.then(|| (Mode::Manifests, words.collect()))
        }
        "kustomize" if is_here => match texts()?.as_slice() {
            ["build"] => Some((Mode::Manifests, kustomization("."))),
            ["build", dir] if !dir.starts_with('-') => Some((Mode::Manifests, kustomization(dir))),
            _ => None,
        },
        _ if is_kubectl(from) => match Words::split(from.args()) {
            words if words.operand(0) == "kustomize" && is_here && words.options.is_empty() => {
                let dir = if words.operands.len() > 1 { words.operands.get(1)?.as_str()? } else { "." };
                Some((Mode::Manifests, kustomization(dir)))
            }
            words if words.operand(0) == "create" && words.is_dry() => {
                let space = words.text("--namespace").unwrap_or_default();
                let certain = words.options.iter().all(|(name, value)| {
                    name != "--namespace" || value.as_ref().is_some_and(|value| value.certain)
                });
                let (kind, name) = make::made(&words).filter(|_| certain)?;
                // A namespace has none.
                let space = if kind.starts_with("Namespace.") { String::new() } else { space };
                Some((Mode::Names, vec![format!("{space}|{kind}/{name}")]))
            }
            _ => None,
        },
        _ => None,
    }
}

fn kustomization(dir: &str) -> Vec<String> {
    vec!["--kustomize".to_owned(), dir.to_owned()]
}

/// The file that a template's text comes from.
pub fn template(from: &Invocation) -> Option<Vec<String>> {
    let file = match (from.program()?, &from.stdin) {
        ("sed", Stdin::Inherited) => from.args().last().filter(|_| from.args().len() > 1)?.as_str()?,
        ("cat", Stdin::Inherited) => from.args().last()?.as_str()?,
        ("envsubst" | "sed" | "cat", Stdin::File(file)) => file.as_str()?,
        _ => return None,
    };
    (!file.starts_with('-')).then(|| vec!["--filename".to_owned(), file.to_owned()])
}
