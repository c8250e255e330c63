//! The stash.

use super::Git;
use crate::model::{EffectClass as C, Word};

/// `git stash`
pub fn stash(git: &mut Git<'_>) -> &'static str {
    const WHAT: &str = "stash,index,worktree";
    let args = git.args.clone();
    let (verb, rest) = match args.split_first() {
        Some((first, rest)) if !first.text.as_slice().starts_with(b"-") => {
            (first.text.lossy().into_owned(), rest)
        }
        _ => ("push".to_owned(), args.as_slice()),
    };
    // `git stash branch NAME [ENTRY]`
    let before = usize::from(verb == "branch");
    let entry = rest.iter().filter_map(Word::as_str).filter(|w| !w.starts_with('-')).nth(before);
    let entry = match entry {
        None => "stash@{0}".to_owned(),
        Some(n) if n.bytes().all(|c| c.is_ascii_digit()) => format!("stash@{{{n}}}"),
        Some(name) => name.to_owned(),
    };
    match verb.as_str() {
        "list" | "show" | "create" => return "",
        // Since git 2.51: to objects that nothing names, or to a ref.
        "export" if rest.iter().any(|w| w.as_str() == Some("--print")) => return "",
        "import" => git.add(C::Create, "git:stash"),
        "drop" => git.add(C::Destroy, format!("git:{entry}")),
        "clear" => git.add(C::Destroy, "git:stash"),
        "pop" => {
            git.add(C::Mutate, format!("git:{entry}"));
            git.add(C::Mutate, "git:worktree");
        }
        "apply" => git.add(C::Mutate, "git:worktree"),
        "branch" => {
            let name = rest.first().map_or_else(String::new, |w| w.text.lossy().into_owned());
            git.local(C::Create, &format!("refs/heads/{name}"));
            git.local(C::Create, "HEAD");
            git.add(C::Mutate, format!("git:{entry}"));
            return "refs,stash,index,worktree";
        }
        "store" => git.add(C::Create, "git:stash"),
        "push" | "save" => {
            for part in ["git:stash", "git:worktree", "git:index"] {
                git.add(C::Mutate, part);
            }
        }
        _ => git.add(C::Opaque, format!("dyn:git stash {verb}")),
    }
    WHAT
}
