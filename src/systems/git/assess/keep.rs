//! What keeps a repository: objects, reflogs, worktrees, submodules, configuration, new repositories and files.

use super::Git;
use crate::model::{EffectClass as C, Word};
use crate::shell::options::{Spec, read};

fn has(args: &[Word], names: &[&str]) -> bool {
    args.iter().filter_map(Word::as_str).any(|w| names.contains(&w))
}

/// Objects and reflogs: what makes lost commits come back is what these remove.
pub fn keep(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let dry = has(&args, &["-n", "--dry-run"]);
    let first = args.iter().filter_map(Word::as_str).find(|w| !w.starts_with('-'));
    match (git.verb.as_str(), first) {
        ("prune" | "lfs" | "prune-packed" | "reflog", _) if dry => return "",
        ("gc" | "prune", _) => git.add(C::Weaken, "dyn:unreachable objects"),
        ("maintenance", Some("run")) => git.add(C::Weaken, "dyn:unreachable objects"),
        ("maintenance", _) => {
            git.add(C::Mutate, "git:config maintenance");
            // The list of repositories that are looked after is the user's.
            user_config(git);
        }
        ("repack", _) => {
            let found = read(&Spec { short: "F", ..Spec::default() }, &args);
            if !(found.has(&["-a"]) && found.has(&["-d"]) || found.has(&["-A"])) {
                return "";
            }
            git.add(C::Weaken, "dyn:unreachable objects");
        }
        ("reflog", Some("expire" | "drop")) if has(&args, &["--all"]) => {
            git.add(C::Weaken, "dyn:all reflogs")
        }
        ("reflog", Some("expire" | "delete" | "drop")) => git.add(C::Weaken, "dyn:reflog entries"),
        ("reflog", _) => return "",
        ("lfs", Some("prune")) => {
            git.add(C::Weaken, "dyn:old local LFS objects");
            return "refs,lfs";
        }
        ("lfs", Some("migrate")) => {
            if args.get(1).and_then(Word::as_str) == Some("info") {
                return "";
            }
            git.add(C::Overwrite, "dyn:all rewritten refs");
            return "refs,index,config,stash,objects,lfs,worktree";
        }
        (
            "lfs",
            Some("ls-files" | "status" | "env" | "logs" | "version" | "locks" | "fsck" | "pointer") | None,
        ) => return "",
        ("lfs", Some("install" | "uninstall")) if has(&args, &["--local"]) => {
            git.add(C::Mutate, "git:config filter.lfs")
        }
        ("lfs", Some("install" | "uninstall")) => {
            git.add(C::Mutate, "path:~/.gitconfig");
            user_config(git);
            return "refs,config";
        }
        ("lfs", Some("track" | "untrack")) => {
            // Without a pattern it lists them.
            if args.iter().filter(|w| !w.text.as_slice().starts_with(b"-")).count() < 2 {
                return "";
            }
            git.path(C::Mutate, &Word::literal(".gitattributes"));
        }
        ("lfs", Some(verb)) => {
            let verb = format!("dyn:git lfs {verb}");
            git.add(C::Opaque, verb);
        }
        ("rerere", Some("clear" | "forget" | "gc")) => git.add(C::Weaken, "dyn:recorded resolutions"),
        // These rewrite how objects are stored, not what is stored.
        _ => return "",
    }
    match git.verb.as_str() {
        // Of the objects only `gc` and `prune` take any; none of these touches a file of the working tree.
        "gc" | "prune" | "repack" | "maintenance" | "reflog" => "refs,stash,config,objects,rerere",
        "rerere" => "refs,rerere,worktree",
        _ => "refs,objects,worktree",
    }
}

/// The files in which git keeps what is set for the user (git-config(1), "FILES").
fn user_config(git: &mut Git<'_>) {
    git.also(b"~/.gitconfig", false);
    git.also(b"~/.config/git/config", false);
}

/// `git merge-file`, mail, credential helpers.
pub fn others(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let found = read(
        &Spec {
            short: "L",
            long: &["--marker-size", "--trailer", "--where", "--if-exists", "--if-missing"],
            flags: &["--in-place"],
            ..Spec::default()
        },
        &args,
    );
    match git.verb.as_str() {
        "merge-file" if !found.has(&["-p", "--stdout"]) => {
            found.operands.iter().take(1).for_each(|w| git.path(C::Overwrite, w));
        }
        "interpret-trailers" if found.has(&["--in-place"]) => {
            let taken = |word: &&&Word| !found.values(&["--trailer"]).any(|value| value.text == word.text);
            let files: Vec<&Word> = found.operands.iter().filter(taken).copied().collect();
            files.into_iter().for_each(|word| git.path(C::Overwrite, word));
        }
        "send-email" | "imap-send" if !found.has(&["--dry-run"]) => git.add(C::Publish, "dyn:mails"),
        "credential"
            if matches!(found.operands.first().and_then(|w| w.as_str()), Some("approve" | "reject")) =>
        {
            git.add(C::Access, "dyn:credential helper");
        }
        _ => return "",
    }
    "worktree"
}

/// `git worktree`
pub fn worktree(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let Some((verb, rest)) = args.split_first() else { return "" };
    let found = read(
        &Spec {
            short: "bB",
            long: &["--reason", "--expire", "--orphan"],
            flags: &["--force", "--dry-run", "--detach", "--lock", "--porcelain"],
            ..Spec::default()
        },
        rest,
    );
    match verb.as_str() {
        Some("add") => {
            let path = found.operands.first().copied();
            path.into_iter().for_each(|w| git.tree(C::Create, w, true));
            for (option, class) in [("-b", C::Create), ("-B", C::Overwrite)] {
                if let Some(name) = found.value(&[option]) {
                    git.local(class, &format!("refs/heads/{}", name.text.lossy()));
                }
            }
        }
        Some("remove") => found.operands.iter().for_each(|w| git.tree(C::Destroy, w, false)),
        Some("move") => moved(git, &found.operands),
        Some("prune") if !found.has(&["-n", "--dry-run"]) => {
            git.add(C::Destroy, "dyn:worktrees whose directory is gone")
        }
        Some("lock" | "unlock" | "repair") => git.add(C::Mutate, "dyn:worktree settings"),
        _ => return "",
    }
    "refs,worktree,config"
}

/// `git worktree move`: the old place, and the new one, which may be a directory that it is put into.
fn moved(git: &mut Git<'_>, words: &[&Word]) {
    let [from, to] = words else { return words.iter().for_each(|w| git.path(C::Mutate, w)) };
    git.tree(C::Mutate, from, false);
    git.tree(C::Mutate, to, true);
    let name = from.text.as_slice().rsplit(|b| *b == b'/').find(|part| !part.is_empty());
    if let Some(name) = name.filter(|_| from.certain && to.certain) {
        git.also(to.text.join(name).as_slice(), true);
    }
}

/// `git submodule`
pub fn submodule(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let found = read(
        &Spec {
            short: "b",
            long: &["--branch", "--name", "--depth", "--reference", "--jobs"],
            flags: &[
                "--force",
                "--init",
                "--recursive",
                "--remote",
                "--all",
                "--quiet",
                "--cached",
                "--checkout",
                "--merge",
                "--rebase",
            ],
            ..Spec::default()
        },
        &args,
    );
    let force = found.has(&["-f", "--force"]);
    let Some((verb, rest)) = found.operands.split_first() else { return "" };
    match verb.as_str() {
        Some("deinit") if found.has(&["--all"]) => git.add(C::Destroy, "dyn:all submodule working trees"),
        Some("deinit") => git.paths(C::Destroy, rest, "submodules"),
        Some("update") => {
            git.add(if force { C::Overwrite } else { C::Mutate }, "dyn:submodule working trees")
        }
        Some("add") => {
            let path = rest.get(1).or(rest.first()).copied();
            path.into_iter().for_each(|w| git.path(C::Create, w));
            git.add(C::Mutate, "git:index");
            let url = rest.first().map(|w| w.text.lossy().into_owned()).unwrap_or_default();
            let last = url.trim_end_matches('/').trim_end_matches(".git").rsplit(['/', ':']).next();
            let name = found.value(&["--name"]).or(rest.get(1).copied()).map(|w| w.text.lossy().into_owned());
            let name = name.or(last.map(str::to_owned)).unwrap_or_default();
            git.also(format!("$GIT/modules/{}", name.trim_end_matches('/')).as_bytes(), true);
        }
        Some("init" | "sync" | "set-url" | "set-branch" | "absorbgitdirs") => {
            git.add(C::Mutate, "git:config submodule")
        }
        Some("foreach") => {
            let inner = rest.iter().map(|w| w.text.lossy()).collect::<Vec<_>>().join(" ");
            const READS: &[&str] =
                &["git status", "git log", "git diff", "git rev-parse", "git branch", "echo ", "pwd", "ls"];
            if READS.iter().any(|r| inner.starts_with(r)) && !inner.contains([';', '&', '|', '>', '`', '$']) {
                return "";
            }
            git.add(C::Opaque, "dyn:git submodule foreach");
        }
        _ => return "",
    }
    "refs,index,worktree,config,modules"
}

/// `git config`: it writes where a value, an unset or a section is named.
pub fn config(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let spec = Spec {
        short: "f",
        long: &["--file", "--blob", "--type", "--default", "--comment", "--value", "--url"],
        flags: &[
            "--global",
            "--system",
            "--local",
            "--worktree",
            "--unset",
            "--unset-all",
            "--add",
            "--replace-all",
            "--rename-section",
            "--remove-section",
            "--edit",
            "--get",
            "--get-all",
            "--get-regexp",
            "--get-urlmatch",
            "--list",
            "--show-origin",
            "--show-scope",
            "--name-only",
            "--null",
            "--get-color",
            "--get-colorbool",
        ],
        ..Spec::default()
    };
    let found = read(&spec, &args);
    if found.has(&[
        "--get",
        "--get-all",
        "--get-regexp",
        "--get-urlmatch",
        "-l",
        "--list",
        "--get-color",
        "--get-colorbool",
    ]) {
        return "";
    }
    let (verb, words) = match found.operands.split_first() {
        Some((first, _))
            if matches!(first.as_str(), Some("get" | "list" | "get-color")) && found.operands.len() <= 2 =>
        {
            return "";
        }
        Some((first, rest))
            if matches!(
                first.as_str(),
                Some("set" | "unset" | "rename-section" | "remove-section" | "edit")
            ) =>
        {
            (first.as_str(), rest.to_vec())
        }
        _ => (None, found.operands.clone()),
    };
    let writes = verb.is_some()
        || words.len() > 1
        || found.has(&[
            "--unset",
            "--unset-all",
            "--add",
            "--replace-all",
            "--rename-section",
            "--remove-section",
            "-e",
            "--edit",
        ]);
    if !writes {
        return "";
    }
    let key = words.first().map_or_else(|| "all".to_owned(), |w| w.text.lossy().into_owned());
    if found.has(&["--global"]) {
        git.add(C::Mutate, "path:~/.gitconfig");
        user_config(git);
        return "files";
    }
    if found.has(&["--system"]) {
        git.add(C::Mutate, "path:/etc/gitconfig");
        git.also(b"/etc/gitconfig", false);
        return "files";
    }
    if let Some(file) = found.value(&["-f", "--file"]) {
        git.tree(C::Mutate, file, false);
        // It may be the repository's own.
        return "config";
    }
    git.add(C::Mutate, format!("git:config {key}"));
    "config"
}

/// What makes repositories, archives, patches.
pub fn made(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let spec = Spec {
        short: "ob",
        long: &[
            "--output",
            "--output-directory",
            "--format",
            "--prefix",
            "--template",
            "--initial-branch",
            "--separate-git-dir",
            "--remote",
        ],
        ..Spec::default()
    };
    let found = read(&spec, &args);
    match git.verb.as_str() {
        "init" => {
            let bare = found.has(&["--bare"]);
            let path = match found.operands.first() {
                Some(dir) => {
                    let dir = dir.text.lossy();
                    if bare { dir.into_owned() } else { format!("{}/.git", dir.trim_end_matches('/')) }
                }
                None => {
                    if bare {
                        ".".to_owned()
                    } else {
                        ".git".to_owned()
                    }
                }
            };
            // One that is there already keeps what it has: only missing files are made.
            git.tree(C::Create, &Word::literal(path), true);
            if let Some(dir) = found.operands.first().filter(|w| w.certain) {
                git.also(dir.text.as_slice(), true);
            }
            return "config,made";
        }
        "archive" => {
            let file = found.value(&["-o", "--output"]).cloned();
            file.iter().for_each(|w| git.tree(C::Create, w, false));
            return "files";
        }
        "bundle" if found.operands.first().and_then(|w| w.as_str()) == Some("create") => {
            let file = found.operands.get(1).copied();
            file.into_iter().for_each(|w| git.tree(C::Create, w, false));
            return "files";
        }
        "format-patch" if !found.has(&["--stdout"]) => git.add(C::Create, "dyn:patch files"),
        "hash-object" if found.has(&["-w"]) => git.add(C::Create, "dyn:one object"),
        "commit-tree" | "mktree" | "unpack-objects" | "index-pack" | "mktag" => {
            git.add(C::Create, "dyn:objects")
        }
        _ => {}
    }
    "worktree"
}
