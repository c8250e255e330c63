//! Every kind of file that `rm -rf` can take away.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use fr::model::EffectClass::{Access, Create, Destroy, Mutate, Overwrite};
use fr::model::{Bytes, StepOutcome};

use super::bench::Bench;
use crate::fs_compare::{assert_same, tree};

/// True where the work directory takes user attributes and ACLs, and the tool for them is there.
fn can(b: &Bench, line: &str) -> bool {
    let done = Command::new("bash").args(["-c", line]).current_dir(b.work()).output().unwrap();
    if !done.status.success() {
        eprintln!("SKIPPED, this machine cannot `{line}`: {}", String::from_utf8_lossy(&done.stderr));
    }
    done.status.success()
}

#[test]
fn extended_attributes() {
    let b = Bench::new();
    b.sh("mkdir d; echo x >d/f; echo y >d/g");
    if !can(&b, "setfattr -n user.color -v blue d/f && setfattr -n user.dir -v yes d") {
        return;
    }
    b.round_trip(&[b.effect("d", "tree", Destroy)], "rm -rf d");
    b.round_trip(&[b.effect("d/f", "node", Mutate)], "setfattr -n user.color -v red d/f");
    b.round_trip(&[b.effect("d/f", "meta", Mutate)], "setfattr -x user.color d/f");
    b.round_trip(&[b.effect("d/g", "node", Mutate)], "setfattr -n user.new -v 1 d/g");
}

#[test]
fn access_control_lists() {
    let b = Bench::new();
    b.sh("mkdir d; echo x >d/f; chmod 640 d/f");
    if !can(&b, "setfacl -m u:1234:rwx d/f && setfacl -d -m g:4321:rx d") {
        return;
    }
    let seen = tree(&b.work().join("d/f"));
    assert!(seen.values().any(|s| s.xattrs.contains_key(&b"system.posix_acl_access"[..])));
    b.round_trip(&[b.effect("d", "tree", Destroy)], "rm -rf d");
    b.round_trip(&[b.effect("d/f", "meta", Access)], "chmod 600 d/f");
    b.round_trip(&[b.effect("d", "tree", Access)], "setfacl -R -b -k d");
    b.round_trip(&[b.effect("d", "tree", Access)], "setfacl -R -m u:77:r d");
    b.round_trip(&[b.effect("d/f", "node", Overwrite)], "rm d/f; echo new >d/f");
}

#[test]
fn symbolic_links_are_themselves_and_writes_go_through_them() {
    let b = Bench::new();
    b.sh("mkdir d; echo x >real; ln -s ../real d/l; ln -s nowhere d/dangling; ln -s .. d/up; touch -h -d @5.5 d/l");
    b.round_trip(&[b.effect("d", "tree", Destroy)], "rm -rf d");
    b.round_trip(&[b.effect("d/l", "node", Overwrite)], "ln -sf elsewhere d/l");
    b.round_trip(&[b.effect("d/l", "node", Overwrite)], "echo through >d/l");
    b.round_trip(&[b.effect("d/dangling", "node", Overwrite)], "echo made >d/dangling");
    b.round_trip(&[b.effect("d/l", "node", Overwrite)], "rm d/l; echo now a file >d/l");
    b.round_trip(&[b.effect("real", "node", Overwrite)], "rm real; ln -s d real");
    b.round_trip(&[b.effect("d/up/real", "node", Destroy)], "rm d/up/real");
}

#[test]
fn hard_link_groups_are_one_inode_again() {
    let b = Bench::new();
    b.sh("mkdir -p d/e; echo x >d/a; ln d/a d/b; ln d/a d/e/c; echo y >d/solo");
    b.round_trip(&[b.effect("d", "tree", Destroy)], "rm -rf d");
    // One name of a group that lives on: it is linked to the others again.
    b.round_trip(&[b.effect("d", "tree", Mutate)], "rm d/a");
    b.round_trip(&[b.effect("d", "tree", Mutate)], "cp --remove-destination d/a tmp; mv -f tmp d/b");
    b.round_trip(&[b.effect("d", "tree", Mutate)], "echo changed >d/b");
    b.round_trip(&[b.effect("d", "tree", Mutate)], "rm -f d/e/c; echo other >d/e/c");
}

#[test]
fn hard_links_that_lead_outside_are_counted_and_said() {
    let b = Bench::new();
    b.sh("mkdir d; echo x >d/a; ln d/a d/b; ln d/a outside; ln d/a further");
    let recorded = b.record(&[b.effect("d", "tree", Destroy)], "rm -rf d");
    let step = b.plan(&recorded).remove(0);
    assert_eq!(step.not_restored, ["hard links to 2 names outside of the captured path"]);
    assert_eq!(b.apply(&step), StepOutcome::Done);
    assert_eq!(tree(&b.work().join("d"))[std::path::Path::new("b")].same_as, Some("a".into()));
}

#[test]
fn a_sparse_file_keeps_its_holes() {
    let b = Bench::new();
    b.sh("truncate -s 64M s; printf head | dd of=s conv=notrunc status=none; \
          printf mid | dd of=s bs=1 seek=30000000 conv=notrunc status=none; truncate -s 10M hole; sync s");
    let blocks = |name: &str| {
        use std::os::unix::fs::MetadataExt;
        b.work().join(name).metadata().unwrap().blocks()
    };
    let before = (blocks("s"), blocks("hole"));
    assert!(before.0 < 100, "this file system keeps no holes");
    b.round_trip(&[b.effect("s", "node", Destroy), b.effect("hole", "node", Destroy)], "rm s hole");
    assert!(blocks("s") <= before.0 + 16 && blocks("hole") <= 16, "{} blocks", blocks("s"));
    b.round_trip(
        &[b.effect("s", "node", Overwrite)],
        "printf x | dd of=s bs=1 seek=50000000 conv=notrunc status=none",
    );
}

/// Somebody reads what the agent has left, and that is no change of it: on ext4 a file that was set aside and not written has
/// holes until it is read.
#[test]
fn a_file_that_was_set_aside_is_the_same_after_it_was_read() {
    let b = Bench::new();
    b.sh("printf old > s");
    let line = "truncate -s 4M s; fallocate -o 8192 -l 1M s; printf new | dd of=s bs=1 seek=600000 conv=notrunc status=none; \
                printf end | dd of=s bs=1 seek=3000000 conv=notrunc status=none; sync s";
    let recorded = b.record(&[b.effect("s", "node", Overwrite)], line);
    b.sh("sha256sum s > /dev/null; cat s > /dev/null");
    let steps = b.plan(&recorded);
    assert!(matches!(steps[0].verdict, fr::model::StepVerdict::Restore), "{steps:?}");
}

#[test]
fn fifos_come_back_and_sockets_are_named() {
    let b = Bench::new();
    b.sh("mkdir d; mkfifo -m 640 d/p; touch -d @77.25 d/p d");
    b.round_trip(&[b.effect("d", "tree", Destroy)], "rm -rf d");
    b.round_trip(&[b.effect("d", "tree", Access)], "chmod -R 700 d");
    let _socket = std::os::unix::net::UnixListener::bind(b.work().join("d/s")).unwrap();
    let recorded = b.record(&[b.effect("d", "tree", Destroy)], "rm -rf d");
    let steps = b.plan(&recorded);
    assert!(steps[0].not_restored.iter().any(|n| n.starts_with("d/s: a socket")), "{steps:?}");
    assert_eq!(b.apply(&steps[0]), StepOutcome::Done);
    assert!(b.work().join("d/p").exists() && !b.work().join("d/s").exists());
}

#[test]
fn names_are_bytes() {
    let b = Bench::new();
    std::fs::create_dir(b.work().join("d")).unwrap();
    let names: [&[u8]; 8] =
        [b"new\nline", b"\xff\xfe", b"-rf", b" ", b"\x1b[31mred", b"*", b".hidden", &[b'n'; 255]];
    for name in names {
        let at = b.work().join("d").join(OsStr::from_bytes(name));
        std::fs::create_dir(&at).unwrap();
        std::fs::write(at.join(OsStr::from_bytes(name)), name).unwrap();
    }
    b.round_trip(&[b.effect("d", "tree", Destroy)], "rm -rf ./d");
    let odd = OsStr::from_bytes(b"d/\xff\xfe");
    b.round_trip(&[b.effect(odd, "tree", Destroy)], "rm -rf d/$'\\xff\\xfe'");
}

#[test]
fn types_that_change_into_each_other() {
    let b = Bench::new();
    b.sh("mkdir -p w/d/sub; echo 1 >w/d/f; echo 2 >w/d/sub/g; echo 3 >w/f; mkfifo w/p; ln -s f w/l");
    let all = || [b.effect("w", "tree", Mutate)];
    b.round_trip(&all(), "rm -r w/d; echo file >w/d");
    b.round_trip(&all(), "rm w/f; mkdir -p w/f/x; echo y >w/f/x/y");
    b.round_trip(&all(), "rm w/p w/l; mkdir w/p; mkfifo w/l");
    b.round_trip(&all(), "rm -r w; echo now a file >w");
    b.round_trip(&all(), "rm -r w; ln -s /etc w");
}

#[test]
fn depth_beyond_the_longest_path() {
    let b = Bench::new();
    b.sh("mkdir deep; cd deep; n=$(printf 'n%.0s' {1..200}); for i in {1..40}; do mkdir $n; cd $n; done; echo x >f");
    let recorded = b.record(&[b.effect("deep", "tree", Destroy)], "rm -rf deep");
    assert!(!b.work().join("deep").exists());
    b.undo(&recorded);
    assert_eq!(b.observe(&recorded.captured[0].before).digest, recorded.captured[0].before.state.digest);
    b.sh("W=$PWD; cd deep; n=$(printf 'n%.0s' {1..200}); for i in {1..40}; do cd $n; done; [ $(cat f) = x ]; cd $W; rm -rf deep");
}

#[test]
fn two_thousand_files_in_one_directory() {
    let b = Bench::new();
    b.sh("mkdir d; cd d; seq 2000 | split -l 1 -a 4 - f");
    b.round_trip(&[b.effect("d", "tree", Destroy)], "rm -rf d");
}

#[test]
fn restored_beside_the_present() {
    let b = Bench::new();
    b.sh("mkdir -p d/e; echo 1 >d/f; ln d/f d/e/g; ln -s f d/l; chmod 500 d/e; touch -d @9.000000001 d/e d");
    let before = tree(&b.work().join("d"));
    let recorded = b.record(&[b.effect("d", "tree", Destroy)], "chmod 700 d/e; rm -rf d; echo other >d");
    let to = b.tmp.path().join("beside");
    assert_eq!(b.restore_to(&recorded.captured[0].before, &to), StepOutcome::Done);
    assert_same(&before, &tree(&to.join("d")));
    assert_eq!(std::fs::read(b.work().join("d")).unwrap(), b"other\n");
    let vault = b.tmp.path().to_path_buf();
    let cx = fr::systems::ApplyCx {
        source: &b.store,
        vault,
        caps: fr::systems::Caps::default(),
        label: "r".to_owned(),
        progress: &|_| {},
    };
    use fr::systems::System;
    assert!(fr::systems::files::Files.restore_to(&recorded.captured[0].before, &to, &cx).is_err());
}

#[test]
fn touched_times_come_back_to_the_nanosecond() {
    let b = Bench::new();
    b.sh("echo x >f; touch -d @1000000000.123456789 f; touch -d @-5.5 old");
    b.round_trip(&[b.effect("f", "node", Create)], "touch f");
    b.round_trip(&[b.effect("old", "node", Destroy)], "rm old");
}

#[test]
fn captures_count_and_name_what_they_hold() {
    let b = Bench::new();
    b.sh("mkdir d; printf 12345 >d/f; printf 1 >d/g");
    let capture = &b.capture(&[b.effect("d", "tree", Destroy)])[0];
    assert_eq!((capture.items, capture.bytes), (3, 6));
    assert_eq!(capture.locator.at, Bytes::from(b.work().join("d")));
}
