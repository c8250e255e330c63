//! What a few small files beside the words tell: git aliases, the branch that is checked out, the current cluster.
//!
//! Assessing looks at words alone; this looks at `.git/HEAD`, git's configuration and the kubeconfig, as data and within bounds.
//! Nothing is run and no include is followed.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::assess::NONE_MADE;
use crate::model::{Bytes, Effect, EffectClass, Invocation, Word};
use crate::shell::{self, ShellCx, Understood};
use crate::systems::{AssessCx, git, kubernetes};

/// The most bytes of a file that are read.
const MAX_BYTES: u64 = 256 << 10;

/// Assesses a line with what the repositories it runs in tell about its words.
pub fn assess_here(understood: &Understood, cx: &AssessCx<'_>) -> Vec<Effect> {
    let mut effects = match with_aliases(understood, cx) {
        Some(resolved) => super::assess::assess(&resolved, cx),
        None => super::assess::assess(understood, cx),
    };
    name_branches(&mut effects);
    kubernetes::name_contexts(&mut effects, cx.env.get("KUBECONFIG"), cx.home);
    effects
}

/// A git command where no repository is, and nothing before it makes one, fails: there is nothing to capture.
pub fn without_what_fails(effects: &mut Vec<Effect>) {
    let mut in_vain = false;
    effects.retain_mut(|effect| {
        let Some(locator) = &mut effect.locator else {
            // The first effect of a git command carries the locator for all of them.
            return !(in_vain && effect.system.0 == "git");
        };
        let none_made = locator.unsaid.remove(NONE_MADE).is_some();
        let what = locator.opts.get("what").map(|what| what.lossy()).unwrap_or_default();
        let makes = what.split(',').any(|part| matches!(part, "made" | "files"));
        in_vain = none_made && !makes && git::is_nowhere(locator);
        !in_vain
    });
}

/// What those commands of a line do that run somewhere else than they are meant to, as far as that is not known yet.
pub fn assess_instead(understood: &Understood, known: &[Effect], cx: &AssessCx<'_>) -> Vec<Effect> {
    let there = |inv: &Invocation| Some(Invocation { cwd: Some(inv.instead.clone()?), ..inv.clone() });
    let invocations: Vec<Invocation> = understood.invocations.iter().filter_map(there).collect();
    if invocations.is_empty() {
        return Vec::new();
    }
    let mut effects = assess_here(&Understood { invocations, opaque: Vec::new(), ..understood.clone() }, cx);
    effects.retain(|effect| effect.class != EffectClass::None && !known.contains(effect));
    effects
}

/// The line with git aliases replaced; `None` where it has none.
fn with_aliases(understood: &Understood, cx: &AssessCx<'_>) -> Option<Understood> {
    let mut resolved: Option<Understood> = None;
    let mut moved = 0;
    for (i, inv) in understood.invocations.iter().enumerate() {
        let Some((at, meaning)) = alias(inv, cx) else { continue };
        let copy = resolved.get_or_insert_with(|| understood.clone());
        let now = i + moved;
        match meaning {
            Alias::Words(words) => {
                if let Some(inv) = copy.invocations.get_mut(now) {
                    inv.argv.splice(at..=at, words);
                }
            }
            Alias::Shell(text) => {
                let Some(inside) = as_shell(inv, at, &text, cx) else { continue };
                copy.opaque.extend(inside.opaque);
                moved += inside.invocations.len();
                moved -= copy.invocations.splice(now..=now, inside.invocations).count();
            }
        }
    }
    resolved
}

/// What an alias stands for.
enum Alias {
    /// Words of a git command.
    Words(Vec<Word>),
    /// A line for `sh` (git-config(1), `alias.*`).
    Shell(String),
}

/// Where in an invocation an alias stands, and what it stands for.
fn alias(inv: &Invocation, cx: &AssessCx<'_>) -> Option<(usize, Alias)> {
    if inv.program() != Some("git") || inv.remote.is_some() {
        return None;
    }
    if let Some((at, text)) = git::assess::carried_shell_alias(inv) {
        return Some((at, Alias::Shell(text)));
    }
    let (at, verb) = git::assess::unknown_verb(inv)?;
    let repository = repository(inv.cwd.as_ref()?.as_path());
    let local = repository.map(|dir| dir.join("config"));
    let global = cx.home.map(|h| h.join(".gitconfig"));
    let value =
        [local, global].into_iter().flatten().find_map(|f| setting(&read(&f)?, "alias", None, &verb))?;
    match value.strip_prefix('!') {
        Some(text) => Some((at, Alias::Shell(text.to_owned()))),
        None => Some((at, Alias::Words(value.split_whitespace().map(Word::literal).collect()))),
    }
}

/// A shell alias as the line that git gives to `sh`: in the top directory, with the rest of the words behind it.
/// `None` where that cannot be known; then it stays opaque.
fn as_shell(inv: &Invocation, at: usize, text: &str, cx: &AssessCx<'_>) -> Option<Understood> {
    let cwd = inv.cwd.as_ref()?;
    let options = inv.argv.get(1..at)?;
    // `-C` and the like put it somewhere else.
    if options.iter().any(|w| w.as_str().is_none_or(|t| t.starts_with("-C") || t.starts_with("--"))) {
        return None;
    }
    let words = inv.argv.get(at + 1..)?;
    if words.iter().any(|word| !word.certain) || inv.dynamic_args.is_some() {
        return None;
    }
    let top = cwd.as_path().ancestors().find(|dir| dir.join(".git").symlink_metadata().is_ok())?;
    let words: Vec<Bytes> = words.iter().map(|word| word.text.clone()).collect();
    let line = [text.as_bytes(), b" ", &super::before::quoted(&words)].concat();
    let top = Bytes::from(top);
    let shell = ShellCx { cwd: &top, env: cx.env, home: cx.home, globs: true, deadline: None };
    let inside = shell::understand(&line, &shell);
    (!inside.invocations.is_empty()).then_some(inside)
}

/// Names the branch where an effect only says that it is the current one.
fn name_branches(effects: &mut [Effect]) {
    for effect in effects.iter_mut().filter(|e| e.system.0 == "git") {
        let text = effect.resource.lossy().into_owned();
        let Some(assumed) = text.strip_prefix("dyn:current branch on ") else { continue };
        let Some(locator) = &effect.locator else { continue };
        // Which branch that will be, the line itself decides.
        if locator.unsaid.contains_key(git::assess::PUSH_OPEN) {
            continue;
        }
        let is_said = locator.unsaid.get(git::assess::PUSH_TO).is_none_or(|to| !to.is_empty());
        let dir = match locator.opts.get("git-dir") {
            Some(dir) => Some(dir.as_path().to_path_buf()),
            None => repository(locator.at.as_path()),
        };
        let Some(dir) = dir else { continue };
        let own = if is_said { None } else { remote_of_branch(&dir) };
        let remote = own.as_deref().unwrap_or(assumed);
        if let Some((class, what)) = configured_push(&dir, remote) {
            effect.class = class;
            effect.resource = Bytes::from(format!("dyn:{what}"));
            if let Some(locator) = effect.locator.as_mut() {
                locator.opts.remove(git::assess::PUSH_PLAIN);
            }
            continue;
        }
        let Some(name) = upstream(&dir, remote) else { continue };
        effect.resource = Bytes::from(format!("git:{remote}/{name}"));
        effect.certain = true;
    }
}

/// What a push without refspecs does where the repository's configuration says more of it (git-config(1),
/// `remote.<name>.mirror`, `remote.<name>.push`).
fn configured_push(dir: &Path, remote: &str) -> Option<(EffectClass, String)> {
    let config = read(&dir.join("config"))?;
    let of_remote = |name: &str| setting(&config, "remote", Some(remote), name);
    if of_remote("mirror").is_some_and(|v| !matches!(v.as_str(), "false" | "no" | "off" | "0")) {
        let what = format!("all refs of {remote}, as push --dry-run --porcelain lists them");
        return Some((EffectClass::Destroy, what));
    }
    of_remote("push")
        .filter(|spec| spec.starts_with('+'))
        .map(|spec| (EffectClass::Overwrite, format!("refs of {remote} that match {spec}")))
}

/// Where a push goes that names no remote (git-config(1): `branch.<name>.pushRemote`, `remote.pushDefault`,
/// `branch.<name>.remote`). Nothing where only settings of the user or the machine may say it: then it is `origin`, or found out.
fn remote_of_branch(dir: &Path) -> Option<String> {
    let config = read(&dir.join("config"))?;
    let head = read(&dir.join("HEAD"))?;
    let branch = head.trim().strip_prefix("ref: refs/heads/");
    let of_branch = |name: &str| branch.and_then(|branch| setting(&config, "branch", Some(branch), name));
    of_branch("pushremote")
        .or_else(|| setting(&config, "remote", None, "pushdefault"))
        .or_else(|| of_branch("remote"))
        .filter(|name| !name.is_empty() && name != ".")
}

/// The ref that a plain push of the current branch goes to.
fn upstream(dir: &Path, remote: &str) -> Option<String> {
    let head = read(&dir.join("HEAD"))?;
    let branch = head.trim().strip_prefix("ref: refs/heads/")?.to_owned();
    let config = read(&dir.join("config")).unwrap_or_default();
    let same = setting(&config, "branch", Some(&branch), "remote").is_some_and(|r| r == remote);
    let merge = setting(&config, "branch", Some(&branch), "merge").filter(|_| same);
    Some(merge.unwrap_or_else(|| format!("refs/heads/{branch}")))
}

/// The git directory of the repository around `start`.
fn repository(start: &Path) -> Option<PathBuf> {
    for dir in start.ancestors() {
        let git = dir.join(".git");
        if git.is_dir() {
            return Some(git);
        }
        if let Some(link) = read(&git).and_then(|t| t.trim().strip_prefix("gitdir: ").map(str::to_owned)) {
            return Some(dir.join(link));
        }
    }
    None
}

fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    File::open(path).ok()?.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

/// The last value of a setting in the text of a configuration file.
fn setting(config: &str, section: &str, sub: Option<&str>, name: &str) -> Option<String> {
    let (mut inside, mut found) = (false, None);
    for line in config.lines().map(str::trim) {
        if let Some(head) = line.strip_prefix('[').and_then(|l| l.split(']').next()) {
            let (this, quoted) =
                head.split_once(' ').map_or((head, None), |(a, b)| (a, Some(b.trim().trim_matches('"'))));
            inside = this.eq_ignore_ascii_case(section) && quoted == sub;
            continue;
        }
        let Some((key, value)) = line.split_once('=').filter(|_| inside) else { continue };
        if key.trim().eq_ignore_ascii_case(name) {
            found = Some(value.trim().trim_matches('"').to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::assess_here;
    use crate::model::{Bytes, EffectClass};
    use crate::record::explain::most_severe;
    use crate::shell::{ShellCx, understand};
    use crate::systems::AssessCx;

    #[test]
    fn the_repository_tells_the_branch_and_the_alias() {
        let dir = tempfile::tempdir().unwrap();
        let git = dir.path().join(".git");
        std::fs::create_dir_all(dir.path().join("sub")).unwrap();
        std::fs::create_dir(&git).unwrap();
        std::fs::write(git.join("HEAD"), "ref: refs/heads/work\n").unwrap();
        let config = "[core]\n\tbare = false\n[alias]\n\tyolo = push --force\n\tsh = !rm -rf x\n[branch \"work\"]\n\tremote = origin\n\tmerge = refs/heads/main\n";
        std::fs::write(git.join("config"), config).unwrap();
        let cwd = Bytes::from(dir.path().join("sub"));
        let env = BTreeMap::new();
        let look = |line: &str| {
            let cx = ShellCx { cwd: &cwd, env: &env, home: None, globs: true, deadline: None };
            let effects = assess_here(&understand(line.as_bytes(), &cx), &AssessCx { env: &env, home: None });
            let shown: Vec<String> = effects.iter().map(|e| e.resource.lossy().into_owned()).collect();
            (most_severe(&effects), shown.join(";"))
        };
        assert_eq!(look("git yolo"), (EffectClass::Overwrite, "git:origin/refs/heads/main".to_owned()));
        assert_eq!(
            look("git push -f backup"),
            (EffectClass::Overwrite, "git:backup/refs/heads/work".to_owned())
        );
        assert_eq!(look("git sh").0, EffectClass::Destroy, "a shell alias is read as the line it is");
        assert_eq!(look("git nosuch").0, EffectClass::Opaque);
        assert_eq!(look("git status").0, EffectClass::None);
    }
}
