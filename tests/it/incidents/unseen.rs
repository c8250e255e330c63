//! What no channel sees: a program that itself removes things outside of the project. Nothing of that is called undone.
//!
//! No tool that watches lines, arguments or one directory sees this; most of them say "restored" afterwards. The rows here
//! show what is captured, that the product says what it did not see, and what helps: a path in the words.

use super::Channel::{self, Exec, Hook, Shims};
use super::look::Picture;
use super::project::{project, project_with};
use super::{destroy, holds, undo};

/// Deletes below the project and elsewhere, by a path that it puts together itself.
const WIPE: &str = "cat > wipe.py <<'END'\nimport os, shutil\nhere = os.path.dirname(os.path.abspath(__file__))\n\
    shutil.rmtree(os.path.join(here, 'src'))\nshutil.rmtree(os.path.join(here, '..', 'out' + 'side', 'keep'))\nEND";

/// The part inside comes back, the part outside does not, and no word says otherwise.
#[track_caller]
fn says_what_it_did_not_see(channel: Channel) {
    let mut env = project_with(WIPE);
    let before = Picture::of(&env, false);
    destroy("python3 wipe.py", channel, &mut env);
    assert!(!holds(&env, "test -e src") && !holds(&env, "test -e ../outside/keep"));
    let root = env.project.display().to_string();
    let show = env.fr(&["show", "2"]).ok().stdout;
    assert!(show.contains("opaque") && show.contains("not certain"), "{show}");
    assert!(show.contains(&format!("path:{root}  ")), "what was captured: {show}");
    assert!(show.contains(&format!("not seen: what it may have changed outside of {root}")), "{show}");
    let plan = env.fr(&["undo", "--dry-run", "--json"]).ok().json();
    assert!(plan["unseen"][0].as_str().unwrap().contains(&root), "{plan}");
    let undo = undo(&env, &[]);
    assert_eq!(undo.code, 0, "{undo:?}");
    assert!(
        undo.stdout.contains(&format!("was not seen: what it may have changed outside of {root}")),
        "{undo:?}"
    );
    assert!(undo.stdout.contains("as far as it was seen"), "{undo:?}");
    let wrong = before.within("project").differences(&Picture::of(&env, false).within("project"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!holds(&env, "test -e ../outside/keep"), "nobody captured it: this row is about saying so");
}

#[test]
fn python_that_deletes_outside_of_the_project_seen_by_a_hook() {
    says_what_it_did_not_see(Hook);
}

#[test]
fn python_that_deletes_outside_of_the_project_with_shims() {
    says_what_it_did_not_see(Shims);
}

#[test]
fn python_that_deletes_outside_of_the_project_under_fr_exec() {
    says_what_it_did_not_see(Exec);
}

#[test]
fn python_that_deletes_only_outside_leaves_nothing_to_undo_and_that_is_not_called_harmless() {
    let mut env = project_with(WIPE);
    env.sh("sed -i \"/'src'/d\" wipe.py").ok();
    destroy("python3 wipe.py", Hook, &mut env);
    assert!(!holds(&env, "test -e ../outside/keep"));
    let undo = undo(&env, &[]);
    assert_eq!(undo.code, 5, "{undo:?}");
    assert!(undo.stdout.contains("was not seen: what it may have changed outside of"), "{undo:?}");
    assert!(!undo.stdout.contains("verified"), "{undo:?}");
}

#[test]
fn a_computed_path_outside_without_shims_is_said_not_to_be_seen() {
    let mut env = project();
    destroy("rm -rf $(head -1 list.txt)", Hook, &mut env);
    assert!(!holds(&env, "test -e ../outside/keep/deep"));
    let undo = undo(&env, &[]);
    assert_eq!(undo.code, 5, "{undo:?}");
    assert!(undo.stdout.contains("was not seen: what it may have changed outside of"), "{undo:?}");
}

#[test]
fn a_plain_command_is_not_said_to_have_been_seen_in_part() {
    let mut env = project();
    destroy("rm -rf src && git reset -q --hard && find . -name '*.log' -delete", Hook, &mut env);
    let undo = undo(&env, &[]);
    assert_eq!(undo.code, 0, "{undo:?}");
    assert!(!undo.stdout.contains("not seen") && !undo.stdout.contains("as far as"), "{undo:?}");
}

/// One name of a file whose other names are elsewhere: the content comes back, the link does not, and it is named.
#[test]
fn a_hard_link_to_a_name_that_the_command_did_not_touch() {
    for line in ["rm old/hard", "cp old/x t && mv t old/hard", "echo y > old/hard"] {
        let mut env = project();
        destroy(line, Hook, &mut env);
        let undo = undo(&env, &[]);
        assert_eq!(undo.code, 3, "{line}: {undo:?}");
        assert!(undo.stdout.contains("hard links to 2 names outside"), "{line}: {undo:?}");
        assert_eq!(env.read("old/hard"), "x\n", "{line}");
    }
}

/// The work tree was captured, but for what git ignores and tools make again: nobody knows what became of that.
#[test]
fn what_the_capture_left_out_is_neither_called_undone_nor_lost() {
    let left_out = "printf 'node_modules/\\n' >> .gitignore; mkdir node_modules; echo n > node_modules/x";
    for (more, code) in [("", 3), ("rm node_modules/x;", 3)] {
        let mut env = project_with(&format!("{left_out}\nprintf '%s\\n' 'rm -rf src; {more}' > clean.sh"));
        destroy("make -f - all < /dev/null; sh clean.sh", Hook, &mut env);
        let undo = undo(&env, &[]);
        assert_eq!(undo.code, code, "{undo:?}");
        let named = "was not captured, whether it was changed is not known: ";
        assert!(undo.stdout.contains(named) && undo.stdout.contains("node_modules"), "{undo:?}");
        assert!(!undo.stdout.contains("did not come back"), "{undo:?}");
        assert!(undo.stdout.contains("what was captured is undone and verified"), "{undo:?}");
        assert!(holds(&env, "test -e src"));
    }
    // Only that was changed: there is nothing to do, and not a word says that all is as it was.
    let mut env = project_with(&format!("{left_out}\nprintf 'rm node_modules/x\\n' > clean.sh"));
    destroy("sh clean.sh", Hook, &mut env);
    let undo = undo(&env, &[]);
    assert_eq!(undo.code, 5, "{undo:?}");
    assert!(undo.stderr.contains("every captured target"), "{undo:?}");
}
