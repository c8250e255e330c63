//! A private repository that stands in for a foreign one while git talks to its remote.
//!
//! git run in a foreign repository starts what that repository configures: hooks, helpers, ssh commands. The shadow has
//! the foreign repository's HEAD, refs and objects and, of its configuration, only what is data ([`is_data`]). What the
//! user has configured for all repositories (credentials, ssh) is in force, as it is for the command itself.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::model::{Bytes, Locator};
use crate::platform::runner::{self, Finished};
use crate::systems::git::place::Place;
use crate::systems::git::refs;
use crate::systems::git::vault::{Vault, object_dirs};

/// How long one conversation with a remote may take.
const LIMIT: Duration = Duration::from_secs(20);

/// Variables of git that say how the user reaches a remote. All others are dropped.
const KEPT: [&str; 8] = [
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSL_CAINFO",
    "GIT_SSL_NO_VERIFY",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_PROXY_SSL_CAINFO",
];

/// Nothing is ever asked on a terminal, nothing foreign is started, and only plain transports are used: `ext::` and
/// other remote helpers run programs.
const GUARDS: [(&str, &str); 9] = [
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("push.recurseSubmodules", "no"),
    ("protocol.allow", "never"),
    ("protocol.file.allow", "always"),
    ("protocol.ssh.allow", "always"),
    ("protocol.git.allow", "always"),
    ("protocol.http.allow", "always"),
    ("protocol.https.allow", "always"),
];

/// The shadow; removed when dropped.
pub struct Shadow {
    dir: PathBuf,
    objects: PathBuf,
    borrowed: Vec<PathBuf>,
    /// What is taken over of the repository's configuration.
    config: Vec<(String, String)>,
    /// What the command carries.
    carried: Vec<(String, String)>,
    /// Where git runs.
    cwd: PathBuf,
    /// The branch that is checked out.
    branch: Option<String>,
    until: Option<Instant>,
}

impl Shadow {
    /// Makes a shadow whose new objects go into `vault`, in the directory `vaults`. Without a `place` (the repository
    /// is gone) it knows the vault's objects only.
    pub fn make(
        place: Option<&Place>,
        vault: &Vault,
        vaults: &Path,
        until: Option<Instant>,
    ) -> Result<Shadow> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = vaults.join(format!("shadow-{}-{number}", std::process::id()));
        let _left_by_a_killed_one = fs::remove_dir_all(&dir);
        for path in [dir.join("objects"), dir.join("refs")] {
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
            made.map_err(|e| Error::io("create", &path, &e))?;
        }
        let borrowed = place.map(|p| object_dirs(&p.objects())).unwrap_or_default();
        // Without a vault (nothing was captured yet) what is fetched goes with the shadow.
        let objects = Some(vault.objects()).filter(|dir| dir.is_dir()).unwrap_or_else(|| dir.join("objects"));
        let (config, carried, cwd) = (Vec::new(), Vec::new(), dir.clone());
        let mut shadow = Shadow { dir, objects, borrowed, config, carried, cwd, branch: None, until };
        shadow.write("HEAD", b"ref: refs/heads/none\n")?;
        if let Some(place) = place {
            shadow.copy(place)?;
        }
        shadow.write("config", config_text(&shadow.config).as_bytes())?;
        Ok(shadow)
    }

    fn copy(&mut self, place: &Place) -> Result<()> {
        let roots = place.open()?;
        if let Some(head) = refs::read_one(&roots, b"HEAD")? {
            self.write("HEAD", &[head.as_slice(), b"\n"].concat())?;
            let text = head.lossy();
            self.branch = text.trim().strip_prefix("ref: refs/heads/").map(str::to_owned);
        }
        let mut text = b"# pack-refs with: sorted\n".to_vec();
        for (name, value) in refs::read_all(place, &roots, &mut Vec::new())? {
            if !value.as_slice().starts_with(b"ref: ") {
                text.extend_from_slice(&[value.as_slice(), b" ", name.as_slice(), b"\n"].concat());
            }
        }
        self.write("packed-refs", &text)?;
        self.config = data_settings(&place.common_dir.join("config"))?;
        // A relative path of a remote is seen from the top of the working tree.
        self.cwd = place.work_tree.clone().unwrap_or_else(|| place.git_dir.clone());
        Ok(())
    }

    /// Adds settings that the command itself carries (`-c`), as far as they are data: the command has not been allowed
    /// yet, so nothing that it names is started.
    pub fn with(mut self, settings: impl Iterator<Item = (String, String)>) -> Shadow {
        self.carried.extend(settings.filter(|(key, _)| is_data(&lower(key))));
        self
    }

    /// Puts git where the command runs it. Where the repository is named and its working tree is not, that is the
    /// directory of the command (git(1), `--git-dir`), and relative paths of remotes are seen from there.
    pub fn seen_from(mut self, locator: &Locator) -> Shadow {
        let named = locator.opts.contains_key("git-dir") && !locator.opts.contains_key("work-tree");
        if named && locator.at.as_path().is_dir() {
            self.cwd = locator.at.as_path().to_path_buf();
        }
        self
    }

    /// A remote's place in a form that means the same in any directory, also when the repository it is seen from is gone.
    pub fn absolute(&self, url: &str) -> String {
        // git's own rule: a colon before the first slash makes it a host.
        let host = url.split('/').next().is_some_and(|first| first.contains(':'));
        if host || url.starts_with('/') {
            url.to_owned()
        } else {
            let place = self.cwd.join(url);
            place.canonicalize().unwrap_or(place).to_string_lossy().into_owned()
        }
    }

    /// Where the command's own settings (`-c`) say that the pushes of a remote go; the last word counts.
    pub fn carried_url(&self, name: &str) -> Option<&str> {
        let value = |key: String| {
            self.carried.iter().rev().find(|(k, _)| k.eq_ignore_ascii_case(&key)).map(|(_, v)| v.as_str())
        };
        let found = value(format!("remote.{name}.pushurl")).or_else(|| value(format!("remote.{name}.url")));
        found.filter(|url| !url.is_empty())
    }

    /// The remote that a plain `git push` goes to (git-push(1), git-config(1): the first that is set).
    pub fn own_remote(&self) -> String {
        let setting = |key: &str| {
            let found =
                self.config.iter().chain(&self.carried).rev().find(|(k, _)| k.eq_ignore_ascii_case(key));
            found.map(|(_, value)| value.clone())
        };
        let branch = self.branch.as_deref().unwrap_or_default();
        setting(&format!("branch.{branch}.pushremote"))
            .or_else(|| setting("remote.pushdefault"))
            .or_else(|| setting(&format!("branch.{branch}.remote")))
            .unwrap_or_else(|| "origin".to_owned())
    }

    /// The remotes that plain pushes of any branch go to.
    pub fn remotes_of_branches(&self) -> std::collections::BTreeSet<String> {
        let settings = self.config.iter().chain(&self.carried);
        let is_of_branch = |key: &str| {
            let key = key.to_ascii_lowercase();
            key == "remote.pushdefault"
                || key.starts_with("branch.") && (key.ends_with(".remote") || key.ends_with(".pushremote"))
        };
        let named = settings.filter(|(key, _)| is_of_branch(key)).map(|(_, value)| value.clone());
        // A branch that follows another one here pushes nowhere else.
        named.filter(|name| name != ".").collect()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.dir.join(name);
        fs::write(&path, bytes).map_err(|e| Error::io("write", &path, &e))
    }

    /// Runs git in the shadow.
    ///
    /// # Errors
    /// Where it cannot be started or does not end in time. A failing git is an answer.
    pub fn git(&self, args: &[OsString]) -> Result<Finished> {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        let limit = left.map_or(LIMIT, |left| left.min(LIMIT));
        let argv: Vec<OsString> = std::iter::once("git".into()).chain(args.iter().cloned()).collect();
        runner::errand(&argv, &self.environment(), &self.cwd, limit)
    }

    /// The same, where only success is an answer.
    pub fn ask(&self, args: &[&OsStr]) -> Result<Vec<u8>> {
        let args: Vec<OsString> = args.iter().map(|a| (*a).to_owned()).collect();
        let done = self.git(&args)?;
        if done.code == 0 { Ok(done.stdout) } else { Err(refused(&done)) }
    }

    fn environment(&self) -> Vec<(OsString, OsString)> {
        let kept = |name: &OsStr| {
            let text = name.to_string_lossy();
            !text.starts_with("GIT_") || KEPT.contains(&text.as_ref())
        };
        let mut env: Vec<(OsString, OsString)> = std::env::vars_os().filter(|(name, _)| kept(name)).collect();
        let mut set = |name: &str, value: &OsStr| env.push((name.into(), value.to_owned()));
        set("GIT_DIR", self.dir.as_os_str());
        set("GIT_OBJECT_DIRECTORY", self.objects.as_os_str());
        set("GIT_ALTERNATE_OBJECT_DIRECTORIES", &joined(&self.borrowed));
        for (name, value) in [
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_TRACE2_EVENT", "0"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("SSH_ASKPASS_REQUIRE", "never"),
            ("LC_ALL", "C"),
        ] {
            set(name, OsStr::new(value));
        }
        let guards = GUARDS.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let all: Vec<(String, String)> = self.carried.iter().cloned().chain(guards).collect();
        set("GIT_CONFIG_COUNT", OsStr::new(&all.len().to_string()));
        for (n, (key, value)) in all.iter().enumerate() {
            set(&format!("GIT_CONFIG_KEY_{n}"), OsStr::new(key));
            set(&format!("GIT_CONFIG_VALUE_{n}"), OsStr::new(value));
        }
        env
    }
}

impl Drop for Shadow {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// What a failing git said, in one line.
pub fn refused(done: &Finished) -> Error {
    let text = String::from_utf8_lossy(&done.stderr);
    let line = text.lines().map(str::trim).find(|l| l.starts_with("fatal:") || l.starts_with("error:"));
    let line = line.or_else(|| text.lines().next()).unwrap_or("git says nothing");
    Error::failure(format!("git exited with {}: {line}", done.code))
}

/// A list of directories as `GIT_ALTERNATE_OBJECT_DIRECTORIES` has it (git(1)): quoted where a name holds a colon.
fn joined(dirs: &[PathBuf]) -> OsString {
    let mut out = Vec::new();
    for dir in dirs {
        if !out.is_empty() {
            out.push(b':');
        }
        let path = Bytes::from(dir.as_path()).0;
        if !path.iter().any(|b| matches!(b, b':' | b'"' | b'\\' | b'\n')) {
            out.extend(path);
            continue;
        }
        out.push(b'"');
        for byte in path {
            match byte {
                b'"' | b'\\' => out.extend([b'\\', byte]),
                b'\n' => out.extend(b"\\n"),
                _ => out.push(byte),
            }
        }
        out.push(b'"');
    }
    std::os::unix::ffi::OsStringExt::from_vec(out)
}

/// The settings of a configuration file that are data. `git config --file` starts nothing and follows no include.
fn data_settings(file: &Path) -> Result<Vec<(String, String)>> {
    if !file.is_file() {
        return Ok(Vec::new());
    }
    let argv: Vec<OsString> = ["git", "config", "--no-includes", "-z", "--list", "--file"]
        .iter()
        .map(OsString::from)
        .chain([file.as_os_str().to_owned()])
        .collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let env = [
        ("PATH".into(), path),
        ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
        ("GIT_CONFIG_GLOBAL".into(), "/dev/null".into()),
    ];
    let done = runner::errand(&argv, &env, Path::new("/"), LIMIT)?;
    if done.code != 0 {
        return Err(refused(&done));
    }
    let text = String::from_utf8_lossy(&done.stdout);
    let pairs = text.split('\0').filter(|entry| !entry.is_empty()).map(|entry| {
        // A key without a value stands for true.
        let (key, value) = entry.split_once('\n').unwrap_or((entry, "true"));
        (key.to_owned(), value.to_owned())
    });
    Ok(pairs.filter(|(key, _)| is_data(key)).collect())
}

/// A configuration file (git-config(1), "Syntax") of a bare repository with these settings.
fn config_text(settings: &[(String, String)]) -> String {
    let sha256 = settings.iter().any(|(key, value)| key == "extensions.objectformat" && value == "sha256");
    let version = u8::from(sha256);
    let mut text = format!("[core]\n\trepositoryformatversion = {version}\n\tbare = true\n");
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    for (key, value) in settings {
        let Some((section, rest)) = key.split_once('.') else { continue };
        let (sub, name) = rest.rsplit_once('.').map_or((None, rest), |(sub, name)| (Some(sub), name));
        let sub = match sub {
            Some(sub) if sub.contains('\n') => continue,
            Some(sub) => format!(" \"{}\"", quoted(sub)),
            None => String::new(),
        };
        text.push_str(&format!("[{section}{sub}]\n\t{name} = \"{}\"\n", quoted(value)));
    }
    text
}

/// A key as `git config --list` writes it: section and name in lower case, what is between them as it is.
fn lower(key: &str) -> String {
    match (key.split_once('.'), key.rsplit_once('.')) {
        (Some((section, _)), Some((front, name))) if section.len() < front.len() => {
            let middle = front.get(section.len()..).unwrap_or_default();
            format!("{}{middle}.{}", section.to_ascii_lowercase(), name.to_ascii_lowercase())
        }
        _ => key.to_ascii_lowercase(),
    }
}

/// True for settings that say where a remote is and what is pushed, and cannot make git start anything.
fn is_data(key: &str) -> bool {
    let (section, rest) = key.split_once('.').unwrap_or((key, ""));
    let name = rest.rsplit('.').next().unwrap_or(rest);
    match section {
        "remote" => {
            matches!(name, "url" | "pushurl" | "push" | "fetch" | "mirror" | "tagopt" | "pushdefault")
        }
        "branch" => matches!(name, "remote" | "merge" | "pushremote"),
        "push" => matches!(name, "default" | "followtags" | "autosetupremote"),
        "url" => matches!(name, "insteadof" | "pushinsteadof"),
        "http" => matches!(name, "extraheader" | "sslcainfo" | "proxy"),
        "credential" => name == "username",
        "extensions" => name == "objectformat",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_data_is_taken_over() {
        for data in ["remote.origin.url", "branch.a.b.merge", "url.x.y.insteadof", "push.default"] {
            assert!(is_data(data), "{data}");
        }
        for code in [
            "core.sshcommand",
            "core.hookspath",
            "credential.helper",
            "credential.https://x.helper",
            "remote.origin.receivepack",
            "remote.origin.uploadpack",
            "remote.origin.vcs",
            "core.gitproxy",
            "alias.push",
            "include.path",
            "protocol.ext.allow",
            "gpg.program",
        ] {
            assert!(!is_data(code), "{code}");
        }
    }

    #[test]
    fn settings_are_written_as_git_reads_them() {
        let settings = [("remote.a \"b\\.url", "/x \"y\\z"), ("push.default", "current")];
        let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config");
        fs::write(&file, config_text(&settings)).unwrap();
        assert_eq!(data_settings(&file).unwrap(), settings);
    }

    #[test]
    fn directories_with_odd_names_are_quoted() {
        assert_eq!(joined(&["/a".into(), "/b c".into()]), "/a:/b c");
        assert_eq!(joined(&["/a:\"b".into()]), "\"/a:\\\"b\"");
    }
}
