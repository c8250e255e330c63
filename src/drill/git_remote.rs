//! git's remote side: a bare repository on disk, and pushes that others would feel.

use super::git::HISTORY;
use super::git_look::{ask, git_look};
use super::look::Look;
use super::scenario::{Incident, Scenario};
use super::scene::Scene;
use crate::error::Result;

pub(super) const SCENARIO: Scenario = Scenario {
    system: "git-remote",
    title: "a bare remote on disk that is force-pushed",
    needs: &["bash", "git", "rm"],
    optional: false,
    asked: false,
    in_cluster: false,
    given: None,
    build,
    incidents: &[
        Incident { why: "others' commits are pushed over", line: "git push -q --force origin main" },
        Incident { why: "a branch of the remote is deleted", line: "git push -q origin --delete feature" },
        Incident {
            why: "a tag of the remote is moved",
            line: "git push -q --force origin HEAD:refs/tags/v1",
        },
        Incident { why: "the remote becomes what is here", line: "git push -q --mirror origin" },
    ],
    anew: &[],
    look,
    clear: None,
};

/// A colleague's commit lies on the remote; here, history was written anew.
const REMOTE: &str = r"
git init -q --bare -b main ../remote.git
git remote add origin ../remote.git
git push -q --all origin
git push -q --tags origin
git branch -q --set-upstream-to=origin/main main
git clone -q ../remote.git ../colleague
cd ../colleague
git config user.email colleague@example.com
git config user.name Colleague
git config commit.gpgSign false
printf 'by a colleague\n' > theirs
git add theirs
git commit -q -m theirs
git push -q origin main
cd ../project
git fetch -q
git commit -q --amend -m 'three, written anew'
rm -rf ../colleague
";

fn build(scene: &Scene) -> Result<()> {
    scene.script(HISTORY)?;
    scene.script(REMOTE)
}

/// The clone, what the remote answers over the wire, and whether all that it names is there.
fn look(scene: &Scene) -> Result<Look> {
    let mut look = git_look(scene)?;
    ask(scene, &["ls-remote", "origin"], &mut look)?;
    ask(scene, &["--git-dir=../remote.git", "for-each-ref"], &mut look)?;
    ask(scene, &["--git-dir=../remote.git", "fsck", "--connectivity-only", "--no-dangling"], &mut look)?;
    Ok(look)
}
