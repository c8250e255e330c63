//! A push whose words only the running shell knows: the shim sees its real arguments, and the remote comes back with the line.

use super::World;
use crate::env::TestEnv;

/// A project with two remotes, to which `main` was pushed; a colleague's commit is on `origin` only.
fn world() -> World {
    let world = World::over(TestEnv::with_git());
    let setup = "set -e; git init -q --bare ../remote.git; git init -q --bare ../backup.git; git commit -q --allow-empty -m mine
        git remote add origin ../remote.git; git remote add backup ../backup.git; git push -q origin HEAD:main; git push -q backup HEAD:main
        git clone -q -b main ../remote.git ../colleague; cd ../colleague; git commit -q --allow-empty -m theirs; git push -q origin main";
    let mut bash = world.plain("bash");
    bash.args(["-c", setup]);
    crate::env::run(bash, b"").ok();
    world
}

fn refs(world: &World) -> String {
    let mut git = world.plain("bash");
    git.args(["-c", "for d in ../remote.git ../backup.git; do git -C $d for-each-ref; done"]);
    crate::env::run(git, b"").ok().stdout
}

#[test]
fn a_push_to_a_remote_that_the_shell_works_out_comes_back() {
    for line in [
        "git push -qf \"$(git remote | tail -1)\" HEAD:main",
        "git push -q $(echo origin) +HEAD:main HEAD:$(echo new)",
        "for r in $(git remote); do git push -qf $r HEAD:main HEAD:more; done",
        "R=$(git remote | grep o); echo git push -qf $R HEAD:main > ../s.sh; sh ../s.sh",
    ] {
        let world = world();
        let before = refs(&world);
        let ran = world.env.claude_runs(line);
        assert_ne!(refs(&world), before, "{line}: {ran:?}");
        let undo = world.env.fr(&["undo", "1", "--yes"]);
        assert_eq!(refs(&world), before, "{line}: {undo:?}");
        assert!(!undo.stdout.contains("failed"), "{line}: {undo:?}");
        // The line by itself did not tell which remote it is; its part did.
        assert!(!undo.stdout.contains("cannot be known from the words"), "{line}: {undo:?}");
        assert_eq!(undo.code, 0, "{line}: {undo:?}");
        // What the recorder asks the remotes, before the push and for the undo, is nobody's event.
        let own = |told: &String| told.contains("fetch") || told.contains("--porcelain");
        assert!(!world.story().iter().any(own), "{line}: {:#?}", world.story());
    }
}

/// A push by its path passes the shims: another one's part says nothing of it.
#[test]
fn a_push_that_no_part_has_seen_is_not_called_taken_back() {
    for line in [
        "/usr/bin/git push -qf \"$(git remote | grep origin)\" HEAD:main",
        "git push -qf \"$(git remote | grep origin)\" HEAD:main; /usr/bin/git push -qf \"$(git remote | grep backup)\" HEAD:more",
        "/usr/bin/git push -qf \"$(git remote | grep backup)\" HEAD:more; git push -qf \"$(git remote | grep origin)\" HEAD:main",
    ] {
        let world = world();
        world.env.claude_runs(line).ok();
        let undo = world.env.fr(&["undo", "1", "--yes"]);
        assert_ne!(undo.code, 0, "{line}: {undo:?}");
        let named = "which remote it is cannot be known from the words";
        assert!((undo.stdout + &undo.stderr).contains(named), "{line}");
    }
}
