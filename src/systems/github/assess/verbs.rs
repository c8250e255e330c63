//! The verbs of gh: what each does, and what of it can be read.

use super::{Asking, split_repo};
use crate::model::{EffectClass as C, Reversibility as R, Word};
use crate::systems::github::query::Ask;
use crate::systems::words::Words;

/// Noun, verb, class, reversibility, and the kind of thing that is read before; `-`: nothing is. Resources are
/// `gh:<noun>:<operand>`.
type Line = (&'static str, &'static str, C, R, &'static str);

const VERBS: &[Line] = &[
    ("repo", "delete", C::Destroy, R::Compensating, "repo"),
    ("repo", "archive", C::Mutate, R::Exact, "repo"),
    ("repo", "unarchive", C::Mutate, R::Exact, "repo"),
    ("repo", "rename", C::Mutate, R::Exact, "rename"),
    ("repo", "edit", C::Mutate, R::Exact, "repo"),
    ("repo", "create", C::Create, R::Compensating, "-"),
    ("repo", "fork", C::Create, R::Compensating, "-"),
    ("repo", "sync", C::Mutate, R::Exact, "branch"),
    ("deploy-key", "delete", C::Access, R::Recreate, "deploy-key"),
    ("deploy-key", "add", C::Access, R::Exact, "-"),
    ("autolink", "delete", C::Destroy, R::Recreate, "autolink"),
    ("autolink", "create", C::Create, R::Exact, "-"),
    ("release", "delete", C::Destroy, R::Recreate, "release"),
    ("release", "delete-asset", C::Destroy, R::Recreate, "release"),
    ("release", "create", C::Publish, R::Compensating, "release"),
    ("release", "upload", C::Publish, R::Compensating, "release"),
    ("release", "edit", C::Mutate, R::Exact, "release"),
    ("secret", "set", C::Overwrite, R::Irreversible, "secret"),
    ("secret", "delete", C::Destroy, R::Irreversible, "secret"),
    ("secret", "remove", C::Destroy, R::Irreversible, "secret"),
    ("variable", "set", C::Overwrite, R::Exact, "variable"),
    ("variable", "delete", C::Destroy, R::Exact, "variable"),
    ("variable", "remove", C::Destroy, R::Exact, "variable"),
    ("issue", "close", C::Mutate, R::Exact, "issue"),
    ("issue", "reopen", C::Mutate, R::Exact, "issue"),
    ("issue", "delete", C::Destroy, R::Irreversible, "issue"),
    ("issue", "edit", C::Mutate, R::Exact, "issue"),
    ("issue", "lock", C::Mutate, R::Exact, "issue"),
    ("issue", "unlock", C::Mutate, R::Exact, "issue"),
    ("issue", "pin", C::Mutate, R::Exact, "-"),
    ("issue", "unpin", C::Mutate, R::Exact, "-"),
    ("issue", "develop", C::Create, R::Exact, "-"),
    ("issue", "transfer", C::Mutate, R::Compensating, "issue"),
    ("issue", "create", C::Publish, R::Compensating, "-"),
    ("issue", "comment", C::Publish, R::Compensating, "-"),
    ("pr", "close", C::Mutate, R::Exact, "pull"),
    ("pr", "reopen", C::Mutate, R::Exact, "pull"),
    ("pr", "merge", C::Mutate, R::Compensating, "pull"),
    ("pr", "edit", C::Mutate, R::Exact, "pull"),
    ("pr", "ready", C::Mutate, R::Exact, "pull"),
    ("pr", "lock", C::Mutate, R::Exact, "-"),
    ("pr", "unlock", C::Mutate, R::Exact, "-"),
    ("pr", "update-branch", C::Mutate, R::Exact, "pull-branch"),
    ("pr", "review", C::Publish, R::Compensating, "-"),
    ("pr", "create", C::Publish, R::Compensating, "-"),
    ("pr", "revert", C::Publish, R::Compensating, "-"),
    ("pr", "comment", C::Publish, R::Compensating, "-"),
    ("run", "delete", C::Destroy, R::Irreversible, "run"),
    ("run", "cancel", C::Disrupt, R::Compensating, "run"),
    ("run", "rerun", C::Mutate, R::Compensating, "-"),
    ("workflow", "disable", C::Mutate, R::Exact, "workflow"),
    ("workflow", "enable", C::Mutate, R::Exact, "workflow"),
    ("workflow", "run", C::Mutate, R::Compensating, "-"),
    ("label", "delete", C::Destroy, R::Recreate, "label"),
    ("label", "create", C::Create, R::Exact, "label"),
    ("label", "edit", C::Mutate, R::Exact, "label"),
    ("label", "clone", C::Overwrite, R::Compensating, "-"),
    ("gist", "delete", C::Destroy, R::Recreate, "gist"),
    ("gist", "create", C::Publish, R::Compensating, "-"),
    ("gist", "edit", C::Mutate, R::Exact, "gist"),
    ("gist", "rename", C::Mutate, R::Exact, "gist"),
    ("cache", "delete", C::Destroy, R::Recreate, "-"),
    ("project", "delete", C::Destroy, R::Irreversible, "-"),
    ("project", "item-delete", C::Destroy, R::Recreate, "-"),
    ("project", "field-delete", C::Destroy, R::Irreversible, "-"),
    ("project", "close", C::Mutate, R::Exact, "-"),
    ("ssh-key", "delete", C::Access, R::Recreate, "user-key"),
    ("ssh-key", "add", C::Access, R::Exact, "-"),
    ("gpg-key", "delete", C::Access, R::Recreate, "gpg-key"),
    ("gpg-key", "add", C::Access, R::Exact, "-"),
    ("codespace", "delete", C::Destroy, R::Irreversible, "-"),
    ("codespace", "stop", C::Disrupt, R::Exact, "-"),
    ("ruleset", "delete", C::Weaken, R::Recreate, "-"),
];

const READS: &[&str] = &[
    "list",
    "view",
    "status",
    "diff",
    "checks",
    "watch",
    "ls",
    "verify",
    "verify-asset",
    "check",
    "field-list",
    "item-list",
    "get",
    "logs",
    "read-file",
    "read-dir",
    "",
];

/// One command; `repo` is the one that its words name.
pub fn read((noun, verb): (&str, &str), words: &Words<'_>, repo: Option<String>, out: &mut Asking<'_>) {
    match noun {
        "" | "browse" | "status" | "search" | "completion" | "version" | "attestation" => return,
        "config" if matches!(verb, "get" | "list") => return,
        "config" | "alias" | "extension" if matches!(verb, "list" | "search" | "browse") => return,
        "config" | "alias" => return out.add(C::Mutate, "path:~/.config/gh/config.yml", R::Exact),
        _ => {}
    }
    // `gh repo deploy-key delete 5`
    let (noun, verb, from) = match (noun, verb) {
        ("repo", "deploy-key" | "autolink") => (verb, words.operand(2), 3),
        ("repo", "gitignore" | "license") => return,
        _ => (noun, verb, 2),
    };
    if READS.contains(&verb) || words.has(&["--dry-run"]) {
        return;
    }
    match (noun, verb) {
        ("pr", "checkout") => return out.add(C::Create, "dyn:a checkout", R::Exact),
        ("repo", "set-default") => return out.add(C::Mutate, "git:config", R::Exact),
        ("repo", "clone") => {
            let name = words.operand(2).trim_end_matches('/').trim_end_matches(".git");
            let name = name.rsplit(['/', ':']).next().unwrap_or_default();
            let dir = words.operands.get(3).map_or_else(|| name.to_owned(), |w| w.text.lossy().into_owned());
            return out.add(C::Create, format!("path:{dir}"), R::Exact);
        }
        (_, "download") => return out.add(C::Create, "dyn:files that are downloaded", R::Exact),
        _ => {}
    }
    let Some((_, _, class, back, kind)) = VERBS.iter().find(|(n, v, ..)| *n == noun && *v == verb) else {
        return out.out.opaque(&format!("gh {noun} {verb}"));
    };
    let (mut class, mut back) = (*class, *back);
    match (noun, verb) {
        ("repo", "edit") if words.has(&["--visibility"]) => class = C::Access,
        ("repo", "sync") if words.has(&["--force"]) => class = C::Overwrite,
        ("release", "upload") if words.has(&["--clobber"]) => (class, back) = (C::Overwrite, R::Recreate),
        _ => {}
    }
    let operands = words.from(from);
    let first: Vec<&Word> = operands.iter().take(1).copied().collect();
    let shown =
        if matches!(noun, "deploy-key" | "autolink") { format!("repo:{noun}") } else { noun.to_owned() };
    if first.is_empty() {
        out.add(class, format!("dyn:gh {noun} {verb}"), back);
    } else {
        out.out.each(class, &format!("gh:{shown}:"), &first, back);
    }
    let deletes = noun == "pr" && words.has(&["-d", "--delete-branch"]);
    if deletes {
        out.add(C::Mutate, "git:origin head branch", R::Exact);
        if let Some(effect) = out.out.effects.last_mut() {
            effect.system = crate::model::SystemId::new("git");
        }
    }
    asks((noun, verb, kind), words, operands, repo, out);
}

/// What has to be read before.
fn asks(
    (noun, verb, kind): (&str, &str, &str),
    words: &Words<'_>,
    operands: &[&Word],
    repo: Option<String>,
    out: &mut Asking<'_>,
) {
    let names: Vec<String> = operands.iter().map(|w| w.text.lossy().into_owned()).collect();
    let first = names.first().cloned().unwrap_or_default();
    let whole = || vec!["whole".to_owned()];
    let base = |kind: &str, name: &str| Ask {
        kind: kind.to_owned(),
        repo: repo.clone(),
        name: name.to_owned(),
        ..Ask::default()
    };
    let of_url = |name: &str| {
        let repo = name.contains("://").then(|| split_repo(name).1).or(repo.clone());
        (repo, name.to_owned())
    };
    match kind {
        "-" => {
            if matches!((noun, verb), ("autolink" | "gist", "create") | ("repo", "create" | "fork")) {
                out.makes();
            }
            let why = match noun {
                "cache" => "a cache is not kept: the next run makes it again",
                "codespace" => "what is in a codespace cannot be read from outside",
                _ => return,
            };
            out.not_kept(why);
        }
        "repo" => {
            let repo = Some(first).filter(|name| !name.is_empty()).map(|name| split_repo(&name).1).or(repo);
            let with = if verb == "delete" { whole() } else { Vec::new() };
            out.ask(Ask { kind: "repo".to_owned(), repo, with, ..Ask::default() });
        }
        "rename" => {
            out.ask(base("repo", ""));
            out.ask(base("renamed", &first));
        }
        "branch" => {
            let repo = Some(first).filter(|name| !name.is_empty()).map(|name| split_repo(&name).1).or(repo);
            // Without a name it is the clone in the directory that is written, not the one on the server.
            if repo.is_none() {
                return out.not_kept("the clone here is the repository's own matter: see its reflog");
            }
            let name = words.text(&["-b", "--branch"]).unwrap_or_default();
            out.ask(Ask { kind: "branch".to_owned(), repo, name, ..Ask::default() });
        }
        "issue" | "pull" | "pull-branch" => {
            let names = if names.is_empty() || verb == "transfer" { vec![first] } else { names };
            for name in names {
                let (repo, name) = of_url(&name);
                let mut with = Vec::new();
                if words.has(&["-d", "--delete-branch"]) && noun == "pr" || kind == "pull-branch" {
                    with.push("branch".to_owned());
                }
                if verb == "merge" {
                    with.push("base".to_owned());
                }
                if noun == "issue" && matches!(verb, "delete" | "transfer") {
                    with = whole();
                }
                let kind = if noun == "pr" { "pull" } else { "issue" };
                out.ask(Ask { kind: kind.to_owned(), repo, name, with, ..Ask::default() });
            }
        }
        "secret" | "variable" => {
            if first.is_empty() {
                return out.not_kept("which ones a file sets is not known before it runs");
            }
            let scope = [("env", &["-e", "--env"][..]), ("org", &["-o", "--org"]), ("app", &["-a", "--app"])];
            let scope =
                scope.iter().find_map(|(word, flags)| words.text(flags).map(|v| format!("{word}:{v}")));
            let user = words.has(&["-u", "--user"]).then(|| "user".to_owned());
            let scope = scope.or(user).filter(|s| s != "app:actions").unwrap_or_default();
            out.ask(Ask { scope, ..base(kind, &first) });
        }
        "release" => {
            let with = if words.has(&["--cleanup-tag"]) || verb == "create" {
                vec!["tag".to_owned()]
            } else {
                Vec::new()
            };
            out.ask(Ask { with, ..base(kind, &first) });
        }
        "label" => {
            out.ask(Ask { with: if verb == "delete" { whole() } else { Vec::new() }, ..base(kind, &first) });
            if let Some(new) = words.text(&["-n", "--name"]).filter(|_| verb == "edit") {
                out.ask(base(kind, &new));
            }
        }
        "run" => {
            out.ask(Ask { with: if verb == "delete" { whole() } else { Vec::new() }, ..base(kind, &first) })
        }
        "gist" => {
            for name in if verb == "rename" { vec![first] } else { names } {
                out.ask(base(kind, &name));
            }
        }
        _ if first.is_empty() => out.not_kept("its target is chosen while it runs"),
        kind => out.ask(base(kind, &first)),
    }
}
