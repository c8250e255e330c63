//! Every kind of file and every kind of change, there and back.

use fr::model::EffectClass::{Access, Create, Destroy, Mutate, Overwrite};

use super::bench::Bench;

#[test]
fn rm_rf_of_a_tree() {
    let b = Bench::new();
    b.sh("mkdir -p d/sub/empty; echo one >d/a; echo two >d/sub/b; chmod 750 d/sub; touch -d @1.123456789 d/a d");
    b.round_trip(&[b.effect("d", "tree", Destroy)], "rm -rf d");
}

#[test]
fn overwritten_appended_and_truncated_files() {
    let b = Bench::new();
    b.sh("echo old >f; echo keep >g; chmod 640 f");
    b.round_trip(&[b.effect("f", "node", Overwrite)], "echo new >f");
    b.round_trip(&[b.effect("f", "node", Mutate)], "echo more >>f");
    b.round_trip(&[b.effect("f", "node", Overwrite)], "cp g f");
    b.round_trip(&[b.effect("f", "node", Overwrite)], "sed -i s/old/x/ f");
}

#[test]
fn created_files_and_directories_go_with_their_parents() {
    let b = Bench::new();
    b.round_trip(&[b.effect("new", "node", Create)], "touch new");
    b.round_trip(&[b.effect("p/q/r", "tree", Create)], "mkdir -p p/q/r");
    b.round_trip(&[b.effect("p/q", "tree", Create)], "mkdir -p p/q; echo x >p/q/f; ln -s f p/q/l");
}

#[test]
fn moves_and_copies() {
    let b = Bench::new();
    b.sh("mkdir a; echo 1 >a/1; echo f >f; echo g >g");
    b.round_trip(&[b.effect("a", "tree", Destroy), b.effect("z", "tree", Create)], "mv a z");
    b.round_trip(&[b.effect("f", "tree", Destroy), b.effect("g", "tree", Overwrite)], "mv f g");
    b.round_trip(&[b.effect("c", "tree", Create)], "cp -a a c");
}

#[test]
fn modes_and_owners() {
    let b = Bench::new();
    b.sh("mkdir -p d/e; echo x >d/f; echo y >d/e/g; chmod 4755 d/f; chmod 2750 d/e; ln -s f d/l");
    b.round_trip(&[b.effect("d", "tree", Access)], "chmod -R 777 d");
    b.round_trip(&[b.effect("d/f", "meta", Access)], "chmod 600 d/f");
    if rustix::process::geteuid().is_root() {
        b.round_trip(&[b.effect("d", "tree", Access)], "chown -R nobody:nogroup d");
        b.round_trip(&[b.effect("d/l", "tree", Destroy)], "chown -h nobody d/l");
    } else {
        eprintln!("SKIPPED: chown needs root");
    }
}

/// Without root the tree cannot be looked into any more, and still comes back. With root it is an ordinary change.
#[test]
fn a_tree_that_nobody_may_enter_any_more() {
    let b = Bench::new();
    b.sh("mkdir -p d/e; echo x >d/f; echo y >d/e/g; chmod 640 d/f");
    let before = b.look();
    let recorded = b.record(&[b.effect("d", "tree", Access)], "chmod -R a-rwx d || true");
    b.undo(&recorded);
    crate::fs_compare::assert_same(&before, &b.look());
    let recorded = b.record(&[b.effect("d", "tree", Access)], "chmod 000 d/e d/f");
    b.undo(&recorded);
    crate::fs_compare::assert_same(&before, &b.look());
}

/// Files of another owner: what cannot be given back is said before and is no surprise after.
#[test]
fn owners_that_only_root_can_give_back() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: needs root to make a file of another owner");
        return;
    }
    let b = Bench::new();
    b.sh("mkdir d; echo x >d/f; chown nobody:nogroup d/f; chmod 4755 d/f");
    b.round_trip(&[b.effect("d", "tree", Destroy)], "rm -rf d");
}
