//! Lines that make a link and then write through it: `ln -s docs linked; cp config.yml linked/`. When the line is read
//! the link is not there, so the later words alone name a path that holds nothing, and what is really written would not
//! be captured. This follows the links that a line makes by its words, and those that it copies or moves.
//!
//! Not seen here: links that come out of an archive, a checkout or a script. What they hold is captured where it lies in
//! the tree that those commands are captured with; only a link that leads out of it is left to exec-time recording.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::model::{Bytes, Invocation, Word};
use crate::systems::files::assess::{Placed, placed};

/// The most links that one path is followed through: as many as Linux follows (path_resolution(7)).
const MAX_HOPS: usize = 40;
/// The most links of one line that are remembered.
const MAX_MADE: usize = 64;

/// What the commands of a line, so far, have put under new names.
#[derive(Default)]
pub struct Links {
    made: Vec<Placed>,
}

impl Links {
    /// Remembers what an invocation makes.
    pub fn learn(&mut self, inv: &Invocation) {
        if inv.remote.is_some() || self.made.len() >= MAX_MADE {
            return;
        }
        // A directory that is there is put into, not replaced.
        self.made.extend(placed(inv).into_iter().filter(|made| !is_directory(made)));
    }

    /// The invocation as it acts once those links are there; `None` where that makes no difference.
    pub fn through(&self, inv: &Invocation) -> Option<Invocation> {
        if self.made.is_empty() || inv.remote.is_some() {
            return None;
        }
        let cwd = inv.cwd.as_ref()?;
        let led = self.lead(cwd.as_path(), true).map(Bytes::from);
        let mut changed = led.is_some();
        let cwd = led.as_ref().unwrap_or(cwd);
        let mut new = Invocation { cwd: Some(cwd.clone()), ..inv.clone() };
        let follows = !replaces_names(inv);
        for word in new.argv.iter_mut().skip(1) {
            changed |= self.rewrite(word, cwd, follows);
        }
        for redirect in &mut new.redirects {
            changed |= self.rewrite(&mut redirect.target, cwd, true);
        }
        changed.then_some(new)
    }

    fn rewrite(&self, word: &mut Word, cwd: &Bytes, follows: bool) -> bool {
        let text = word.text.as_slice();
        if !word.certain || text.is_empty() || text.starts_with(b"-") {
            return false;
        }
        let follows = follows || text.ends_with(b"/");
        let Some(led) = self.lead(&cwd.as_path().join(OsStr::from_bytes(text)), follows) else {
            return false;
        };
        // As people would write it: from where the line started, if it lies below.
        let shown = led.strip_prefix(cwd.as_path()).ok().filter(|p| !p.as_os_str().is_empty());
        word.text = Bytes::from(shown.unwrap_or(&led));
        true
    }

    /// Where a path leads by way of links that the line made; `None` where none of them is on its way.
    fn lead(&self, path: &Path, follows: bool) -> Option<PathBuf> {
        let mut now = normal(path);
        let mut moved = false;
        for _ in 0..MAX_HOPS {
            let Some(next) = self.made.iter().rev().find_map(|made| self.step(made, &now, follows)) else {
                break;
            };
            now = normal(&next);
            moved = true;
        }
        moved.then_some(now)
    }

    /// One hop: the path behind what was made, where the path goes through it.
    fn step(&self, made: &Placed, path: &Path, follows: bool) -> Option<PathBuf> {
        match made {
            Placed::Link { at, to, .. } => {
                let rest = path.strip_prefix(at.as_path()).ok()?;
                if rest.as_os_str().is_empty() {
                    return follows.then(|| to.as_path().to_path_buf());
                }
                Some(to.as_path().join(rest))
            }
            Placed::Copy { at, from } => self.copied_link(at.as_path(), from.as_path(), path, follows),
        }
    }

    /// Where `from` holds a link on the way that `path` takes in its copy `at`: what the copied link leads to.
    fn copied_link(&self, at: &Path, from: &Path, path: &Path, follows: bool) -> Option<PathBuf> {
        let rest = path.strip_prefix(at).ok()?;
        let (mut old, mut new) = (from.to_path_buf(), at.to_path_buf());
        let mut left: Vec<&OsStr> = rest.iter().collect();
        left.reverse();
        loop {
            if left.is_empty() && !follows {
                return None;
            }
            if let Some(target) = self.read_link(&old) {
                // A relative link is relative to where it lies now.
                let mut led = new.parent()?.join(target);
                led.extend(left.iter().rev());
                return Some(led);
            }
            let name = left.pop()?;
            old.push(name);
            new.push(name);
        }
    }

    /// The text of a symbolic link that the line makes or that is there.
    fn read_link(&self, path: &Path) -> Option<PathBuf> {
        let made = self.made.iter().rev().find_map(|made| match made {
            Placed::Link { at, text: Some(text), .. } if at.as_path() == path => {
                Some(text.as_path().to_path_buf())
            }
            _ => None,
        });
        made.or_else(|| std::fs::read_link(path).ok())
    }
}

fn is_directory(made: &Placed) -> bool {
    let (Placed::Link { at, .. } | Placed::Copy { at, .. }) = made;
    std::fs::symlink_metadata(at.as_path()).is_ok_and(|meta| meta.is_dir())
}

/// Tools that act on a name itself, whatever it leads to.
fn replaces_names(inv: &Invocation) -> bool {
    matches!(
        inv.program(),
        Some("rm" | "unlink" | "rmdir" | "mv" | "rename" | "trash" | "trash-put" | "readlink")
    )
}

/// A path without `.` and without `..` behind a name: right wherever the name is no link, and links that the line does
/// not make are resolved by the capture.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use crate::model::Bytes;
    use crate::record::context::assess_here;
    use crate::shell::{ShellCx, understand};
    use crate::systems::AssessCx;

    fn look(dir: &Path, line: &str) -> Vec<String> {
        let (cwd, env) = (Bytes::from(dir), BTreeMap::new());
        let cx = ShellCx { cwd: &cwd, env: &env, home: None, globs: true, deadline: None };
        let effects = assess_here(&understand(line.as_bytes(), &cx), &AssessCx { env: &env, home: None });
        effects.iter().map(|e| format!("{} {}", e.class, e.resource.lossy())).collect()
    }

    #[test]
    fn what_is_written_through_a_new_link_is_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("docs")).unwrap();
        std::os::unix::fs::symlink("../docs", dir.path().join("docs/self")).unwrap();
        let has = |line: &str, wanted: &str| {
            let seen = look(dir.path(), line);
            assert!(seen.iter().any(|e| e == wanted), "{line}: {seen:?}");
        };
        has("ln -s docs linked; cp -r config.yml linked", "overwrite path:docs");
        has("ln -s docs linked && echo x > linked/a", "overwrite path:docs/a");
        has("ln -s docs linked && cd linked && rm a", "destroy path:docs/a");
        has("ln -s docs one; ln -s one two; rm two/a", "destroy path:docs/a");
        has("ln -s ../docs sub/; echo x > sub/docs/a", "overwrite path:docs/a");
        has("ln a b; echo x > b", "overwrite path:a");
        has("cp -a docs new && tee new/self/a < x", "overwrite path:docs/a");
        has("mv docs/self docs/up; tee docs/up/a < x", "overwrite path:docs/a");
        has("ln -s /etc/hosts h; sed -i s/a/b/ h", "overwrite path:/etc/hosts");
    }

    #[test]
    fn the_link_itself_is_not_what_it_leads_to() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("docs")).unwrap();
        for line in ["ln -s docs linked; rm linked", "ln -s docs linked; mv linked other"] {
            let seen = look(dir.path(), line);
            assert!(!seen.iter().any(|e| e.ends_with("path:docs")), "{line}: {seen:?}");
        }
        let loops = look(dir.path(), "ln -s b a; ln -s a b; echo x > a/c");
        assert!(!loops.is_empty());
    }
}
