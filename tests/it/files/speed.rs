//! Figures, not verdicts: `cargo test --release --test it files::speed -- --ignored --nocapture`.

use std::process::Command;
use std::time::Instant;

use fr::model::EffectClass::{Destroy, Opaque};
use fr::systems::System;
use fr::systems::files::Files;

use super::bench::Bench;

fn millis(times: usize, mut run: impl FnMut()) -> f64 {
    let mut all: Vec<f64> = (0..times)
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn git(b: &Bench, args: &[&str]) {
    let done = Command::new("git").args(args).current_dir(b.work()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
#[ignore = "takes minutes; for figures"]
fn unchanged_tree_of_50_000_files() {
    let b = Bench::new();
    for dir in 0..2500 {
        let at = b.work().join(format!("m{}/p{}/d{dir}", dir % 25, dir % 250));
        std::fs::create_dir_all(&at).unwrap();
        for file in 0..20 {
            std::fs::write(at.join(format!("file_{file}.rs")), format!("{dir} {file}\n").repeat(60)).unwrap();
        }
    }
    git(&b, &["init", "-q", "."]);
    git(&b, &["add", "-A"]);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    git(&b, &["add", "-A"]);
    let effect = b.effect(".", "workspace", Opaque);
    let first = millis(1, || drop(b.capture(std::slice::from_ref(&effect))));
    std::thread::sleep(std::time::Duration::from_millis(50));
    let (mut adds, mut snaps, mut looks) = (Vec::new(), Vec::new(), Vec::new());
    let capture = b.capture(std::slice::from_ref(&effect)).remove(0);
    for _ in 0..15 {
        adds.push(millis(1, || git(&b, &["add", "-A"])));
        snaps.push(millis(1, || drop(Files.capture(&effect, &b.cx(true)).unwrap())));
        looks.push(millis(1, || assert_eq!(b.observe(&capture).digest, capture.state.digest)));
    }
    for all in [&mut adds, &mut snaps, &mut looks] {
        all.sort_by(f64::total_cmp);
    }
    println!(
        "50,000 files: first {first:.0} ms (store in memory); unchanged, median of 15: git add -A {:.0}, snapshot {:.0} \
         ({:.2}x), observe {:.0}; best: {:.0} / {:.0}",
        adds[7],
        snaps[7],
        snaps[7] / adds[7],
        looks[7],
        adds[0],
        snaps[0]
    );
}

#[test]
#[ignore = "takes minutes; for figures"]
fn capture_and_undo_of_10_000_removed_files() {
    let b = Bench::new();
    for dir in 0..100 {
        let at = b.work().join(format!("d/{dir}"));
        std::fs::create_dir_all(&at).unwrap();
        for file in 0..100 {
            std::fs::write(at.join(format!("f{file}")), format!("{dir} {file}\n").repeat(400)).unwrap();
        }
    }
    let effect = b.effect("d", "tree", Destroy);
    let tar = millis(5, || b.sh("tar c d | zstd -1 -q -o ../t.zst -f"));
    b.sh("tar cf ../t.tar d");
    let capture = millis(5, || drop(b.capture(std::slice::from_ref(&effect))));
    let recorded = b.record(&[effect], "rm -rf d");
    let undo = millis(1, || b.undo(&recorded));
    let untar = millis(1, || b.sh("mkdir ../x; tar xf ../t.tar -C ../x; sync -f ../x"));
    println!(
        "10,000 files: tar x and sync {untar:.0} ms; tar|zstd {tar:.0}, capture (store in memory) {capture:.0}, undo with syncs {undo:.0}"
    );
}
