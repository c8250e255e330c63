//! What leaves for or comes from other repositories: push, fetch, pull, remote, clone.

use super::Git;
use crate::model::{EffectClass as C, Word};
use crate::shell::options::Spec;

const PUSH: Spec = Spec {
    short: "o",
    attached: "",
    long: &["--repo", "--receive-pack", "--exec", "--push-option", "--recurse-submodules"],
    flags: &[
        "--force",
        "--force-with-lease",
        "--force-if-includes",
        "--mirror",
        "--prune",
        "--delete",
        "--all",
        "--branches",
        "--tags",
        "--follow-tags",
        "--dry-run",
        "--porcelain",
        "--set-upstream",
        "--atomic",
        "--quiet",
        "--verbose",
        "--no-verify",
        "--verify",
        "--thin",
        "--signed",
        "--progress",
        "--ipv4",
        "--ipv6",
        "--no-force-with-lease",
    ],
    posix: false,
};

fn text(word: &Word) -> String {
    word.text.lossy().into_owned()
}

/// The full name of a ref on the other side. A name that looks like a version is taken for a tag.
fn full(name: &str) -> String {
    if name.starts_with("refs/") {
        return name.to_owned();
    }
    if let Some(rest) = name.strip_prefix("heads/").or(name.strip_prefix("tags/")) {
        let kind = name.split('/').next().unwrap_or_default();
        return format!("refs/{kind}/{rest}");
    }
    let digits = name.strip_prefix('v').unwrap_or(name);
    let version = digits.contains('.') && digits.starts_with(|c: char| c.is_ascii_digit());
    format!("refs/{}/{name}", if version { "tags" } else { "heads" })
}

/// `git push`
pub fn push(git: &mut Git<'_>) -> &'static str {
    let args = git.args.clone();
    let found = crate::shell::options::read(&PUSH, &args);
    if found.has(&["-n", "--dry-run"]) {
        return "";
    }
    let (remote, specs) = match found.operands.split_first() {
        Some((first, rest)) => (text(first), rest.to_vec()),
        None => (found.value(&["--repo"]).map_or_else(|| "origin".to_owned(), text), Vec::new()),
    };
    let lease = found.options.iter().any(|(n, _)| n == "--force-with-lease");
    let force = found.has(&["-f", "--force"]) || lease;
    let (class, each) = if force { (C::Overwrite, C::Overwrite) } else { (C::Publish, C::Publish) };
    let mirrors = git.setting(&format!("remote.{remote}.mirror"));
    let mirrors = mirrors.is_some_and(|v| !matches!(v, "false" | "no" | "off" | "0"));
    let configured = git.setting(&format!("remote.{remote}.push")).map(|spec| [Word::literal(spec)]);
    let specs: Vec<&Word> = match &configured {
        Some(configured) if specs.is_empty() => configured.iter().collect(),
        _ => specs,
    };
    if found.has(&["--mirror"]) || mirrors {
        git.add(C::Destroy, format!("dyn:all refs of {remote}, as push --dry-run --porcelain lists them"));
    } else if found.has(&["--prune"]) {
        git.add(C::Destroy, format!("dyn:branches of {remote} without a local counterpart"));
    } else if found.has(&["-d", "--delete"]) {
        deletions(git, &remote, &specs);
    } else if found.has(&["--all", "--branches"]) {
        git.add(class, format!("dyn:all local branches on {remote}"));
    } else if specs.is_empty() {
        let matching = git.setting("push.default") == Some("matching");
        match (matching, found.has(&["--tags"])) {
            (true, _) => git.add(class, format!("dyn:all matching branches of {remote}")),
            (false, true) => git.add(class, format!("dyn:all local tags on {remote}")),
            _ => git.add(class, format!("dyn:current branch on {remote}")),
        }
    } else {
        refspecs(git, &remote, &specs, each);
        if found.has(&["--follow-tags"]) {
            git.add(C::Publish, format!("dyn:annotated tags that {remote} lacks"));
        }
        if found.has(&["--tags"]) {
            git.add(class, format!("dyn:all local tags on {remote}"));
        }
    }
    "refs,remote"
}

/// The remote of a push (empty: the one that is configured for the branch), and its arguments in a form in which a dry run of it can be asked for: without what only shows,
/// signs or verifies. No arguments where one of them is not certain; nothing where the remote is not.
pub fn normalised(args: &[Word]) -> Option<(String, Option<Vec<Vec<u8>>>)> {
    const DROPPED: [&str; 18] = [
        "-v",
        "--verbose",
        "-q",
        "--quiet",
        "--porcelain",
        "--progress",
        "--no-progress",
        "--verify",
        "--no-verify",
        "--signed",
        "-u",
        "--set-upstream",
        "--recurse-submodules",
        "--no-recurse-submodules",
        // Programs to run on the other side, and words for its hooks: a look at it runs neither.
        "--receive-pack",
        "--exec",
        "-o",
        "--push-option",
    ];
    let found = crate::shell::options::read(&PUSH, args);
    let remote = match found.operands.first() {
        Some(word) if !word.certain => return None,
        Some(word) => text(word),
        None => found.value(&["--repo"]).map(text).unwrap_or_default(),
    };
    if args.iter().any(|word| !word.certain) {
        return Some((remote, None));
    }
    let mut out = Vec::new();
    for (name, value) in found.options.iter().filter(|(name, _)| !DROPPED.contains(&name.as_str())) {
        match value {
            Some(value) if name.starts_with("--") => {
                out.push([name.as_bytes(), b"=", value.text.as_slice()].concat())
            }
            Some(value) => out.extend([name.as_bytes().to_vec(), value.text.0.clone()]),
            None => out.push(name.as_bytes().to_vec()),
        }
    }
    out.push(b"--".to_vec());
    out.extend(found.operands.iter().map(|word| word.text.0.clone()));
    Some((remote, Some(out)))
}

/// What decides which refs a push is about, besides its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// The words say it all.
    Nothing,
    /// The branch that is checked out then.
    Head,
    /// Which branches and tags there are then.
    Refs,
}

/// How far the words of a push, normalised, leave open which refs it is about.
pub fn leaves_open(args: &[Vec<u8>]) -> Open {
    const MANY: [&[u8]; 7] =
        [b"--all", b"--branches", b"--tags", b"--mirror", b"--follow-tags", b"--prune", b":"];
    let end = args.iter().position(|arg| arg == b"--").unwrap_or(args.len());
    let (options, operands) = args.split_at(end);
    // After the `--` comes the remote.
    let specs = operands.get(2..).unwrap_or_default();
    let is_many = |arg: &Vec<u8>| MANY.contains(&arg.as_slice()) || arg.contains(&b'*') || arg == b"+:";
    if options.iter().chain(specs).any(is_many) {
        return Open::Refs;
    }
    let is_current = |spec: &Vec<u8>| matches!(spec.strip_prefix(b"+").unwrap_or(spec), b"HEAD" | b"@");
    match specs.is_empty() || specs.iter().any(is_current) {
        true => Open::Head,
        false => Open::Nothing,
    }
}

fn deletions(git: &mut Git<'_>, remote: &str, specs: &[&Word]) {
    let mut specs = specs.iter().peekable();
    while let Some(spec) = specs.next() {
        let name = text(spec);
        if name == "tag" && specs.peek().is_some() {
            let tag = specs.next().map(|w| text(w)).unwrap_or_default();
            git.add(C::Destroy, format!("git:{remote}/refs/tags/{tag}"));
        } else if spec.certain {
            git.add(C::Destroy, format!("git:{remote}/{}", full(&name)));
        } else {
            git.add(C::Destroy, format!("dyn:{name}"));
        }
    }
    if let Some(source) = git.dynamic {
        git.add(C::Destroy, format!("dyn:{source}"));
    }
}

fn refspecs(git: &mut Git<'_>, remote: &str, specs: &[&Word], class: C) {
    let mut specs = specs.iter().peekable();
    while let Some(word) = specs.next() {
        let spec = text(word);
        let (forced, spec) = match spec.strip_prefix('+') {
            Some(rest) => (true, rest.to_owned()),
            None => (false, spec),
        };
        let class = if forced { C::Overwrite } else { class };
        if spec == "tag" && specs.peek().is_some() {
            let tag = specs.next().map(|w| text(w)).unwrap_or_default();
            git.add(class, format!("git:{remote}/refs/tags/{tag}"));
            continue;
        }
        let (from, to) = spec.split_once(':').map_or((spec.as_str(), spec.as_str()), |(f, t)| (f, t));
        if !word.certain && !word.glob || spec.contains('*') {
            git.add(class, format!("dyn:{spec} on {remote}"));
        } else if from.is_empty() && to.is_empty() {
            git.add(class, format!("dyn:all matching branches of {remote}"));
        } else if from.is_empty() {
            git.add(C::Destroy, format!("git:{remote}/{}", full(to)));
        } else if to == "HEAD" || to == "@" {
            git.add(class, format!("dyn:current branch on {remote}"));
        } else {
            git.add(class, format!("git:{remote}/{}", full(to)));
        }
    }
}

/// `git fetch`
pub fn fetch(git: &mut Git<'_>) -> &'static str {
    let spec = Spec {
        short: "oj",
        long: &[
            "--depth",
            "--deepen",
            "--shallow-since",
            "--shallow-exclude",
            "--refmap",
            "--upload-pack",
            "--jobs",
            "--negotiation-tip",
            "--server-option",
            "--filter",
        ],
        flags: &[
            "--all",
            "--prune",
            "--prune-tags",
            "--tags",
            "--no-tags",
            "--force",
            "--dry-run",
            "--unshallow",
            "--quiet",
            "--verbose",
            "--append",
            "--keep",
            "--multiple",
            "--progress",
            "--update-head-ok",
            "--recurse-submodules",
        ],
        ..Spec::default()
    };
    let args = git.args.clone();
    let found = crate::shell::options::read(&spec, &args);
    if found.has(&["--dry-run"]) {
        return "";
    }
    let remote = found.operands.first().map_or_else(|| "origin".to_owned(), |w| text(w));
    let force = found.has(&["-f", "--force"]);
    let mut any = false;
    for word in found.operands.iter().skip(1) {
        let spec = text(word);
        let (forced, spec) = spec.strip_prefix('+').map_or((false, spec.as_str()), |s| (true, s));
        let Some((_, to)) = spec.split_once(':').filter(|(_, to)| !to.is_empty()) else { continue };
        any = true;
        let class = if forced || force { C::Overwrite } else { C::Mutate };
        if to.contains('*') || !word.certain {
            git.add(class, format!("dyn:{to}"));
        } else {
            git.local(class, &full(to));
        }
    }
    // Tags move only by force, and are pruned only where that is asked for (git-fetch(1)).
    if force && found.has(&["-t", "--tags"]) {
        git.add(C::Overwrite, "dyn:local tags that differ");
    }
    if found.has(&["-P", "--prune-tags"]) {
        git.add(C::Destroy, format!("dyn:local tags that {remote} lacks"));
    }
    if !any {
        let what = if found.has(&["-p", "--prune"]) { "stale " } else { "" };
        git.add(C::Mutate, format!("dyn:{what}refs/remotes/{remote}/*"));
    }
    "refs"
}

/// `git pull`
pub fn pull(git: &mut Git<'_>) -> &'static str {
    let found = git.options(&Spec {
        short: "osXS",
        long: &["--strategy", "--strategy-option", "--depth"],
        flags: &["--rebase", "--no-rebase", "--ff-only", "--dry-run"],
        ..Spec::default()
    });
    if found.has(&["--dry-run"]) {
        return "";
    }
    let how = found.value(&["-r", "--rebase"]).and_then(Word::as_str);
    let rebase = found.last(&["-r", "--rebase", "--no-rebase"]).is_some_and(|name| name != "--no-rebase")
        && !matches!(how, Some("false" | "no" | "off" | "0"));
    git.local(if rebase { C::Overwrite } else { C::Mutate }, "HEAD branch");
    if !rebase {
        git.add(C::Mutate, "git:worktree");
    }
    "refs,index,worktree,config"
}

/// `git remote`
pub fn remote(git: &mut Git<'_>) -> &'static str {
    let words: Vec<String> = git.args.iter().map(text).filter(|w| !w.starts_with('-')).collect();
    let name = words.get(1).cloned().unwrap_or_else(|| "origin".to_owned());
    match words.first().map(String::as_str) {
        Some("add") => git.add(C::Create, format!("git:config remote.{name}")),
        Some("remove" | "rm") => {
            git.add(C::Mutate, format!("git:config remote.{name}"));
            git.add(C::Mutate, format!("dyn:refs/remotes/{name}/*"));
        }
        Some("rename") => {
            let to = words.get(2).cloned().unwrap_or_default();
            git.add(C::Mutate, format!("git:config remote.{name}"));
            git.add(C::Mutate, format!("git:config remote.{to}"));
            git.add(C::Mutate, format!("dyn:refs/remotes/{name}/*"));
        }
        Some("set-url") => git.add(C::Mutate, format!("git:config remote.{name}.url")),
        Some("set-branches") => git.add(C::Mutate, format!("git:config remote.{name}.fetch")),
        Some("set-head") => git.local(C::Mutate, &format!("refs/remotes/{name}/HEAD")),
        Some("prune") if !git.args.iter().any(|w| matches!(w.as_str(), Some("-n" | "--dry-run"))) => {
            git.add(C::Mutate, format!("dyn:stale refs/remotes/{name}/*"));
        }
        Some("update") => git.add(C::Mutate, "dyn:refs/remotes/*"),
        _ => return "",
    }
    "refs,config"
}

/// `git clone`
pub fn clone(git: &mut Git<'_>) -> &'static str {
    let spec = Spec {
        short: "obcju",
        long: &[
            "--origin",
            "--branch",
            "--config",
            "--depth",
            "--reference",
            "--separate-git-dir",
            "--template",
            "--jobs",
            "--filter",
            "--upload-pack",
        ],
        ..Spec::default()
    };
    let args = git.args.clone();
    let found = crate::shell::options::read(&spec, &args);
    match found.operands.as_slice() {
        [url] => {
            let url = text(url);
            let name = url.trim_end_matches('/').trim_end_matches("/.git").trim_end_matches(".git");
            let mut name = name.rsplit(['/', ':']).next().unwrap_or(name).to_owned();
            if found.has(&["--bare", "--mirror"]) {
                name.push_str(".git");
            }
            git.tree(C::Create, &Word::literal(name), true);
        }
        [_, dir, ..] => git.tree(C::Create, dir, true),
        [] => {}
    }
    "files"
}
