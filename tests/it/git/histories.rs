//! Any sequence of git commands, taken back from the last to the first, or one out of the middle: the state equals the
//! recorded one, or the conflict is honest and nothing was written.

use fr::model::{Captured, StepOutcome, StepVerdict};
use fr::systems::git::difference;

use super::scene::{Scene, pretty};

/// A small generator, so that a failing seed can be run again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

const COMMANDS: [&str; 40] = [
    "commit -q -a -m work",
    "commit -q --allow-empty -m empty",
    "commit -q --amend -a -m amended",
    "add -A",
    "rm -q -r --cached dir",
    "reset -q --hard HEAD~1",
    "reset -q --soft HEAD~1",
    "reset -q HEAD~1",
    "switch -q main",
    "switch -q topic",
    "switch -q --detach",
    "switch -q -c fresh",
    "checkout -q -B topic main",
    "checkout -q -f HEAD",
    "branch -q -D topic",
    "branch -q -D fresh",
    "branch -q fresh/below",
    "branch -q topic main~1",
    "branch -q -f fresh main",
    "branch -M topic renamed",
    "tag -f light HEAD",
    "tag -a -f -m again v1 HEAD",
    "tag -d v1",
    "stash push -q -u",
    "stash pop -q",
    "stash drop -q",
    "stash drop -q stash@{1}",
    "stash clear",
    "merge -q --no-edit topic",
    "merge --abort",
    "rebase -q main topic",
    "rebase --abort",
    "cherry-pick topic",
    "cherry-pick --abort",
    "revert --no-edit HEAD",
    "config user.nickname x",
    "config --unset user.nickname",
    "pack-refs --all",
    "remote remove origin",
    "gc -q --prune=now",
];

fn run_one(s: &Scene, dice: &mut Dice, count: usize) -> String {
    if dice.roll(3) == 0 {
        s.write("a.txt", &format!("text {count}\n"));
        s.write(&format!("new{}.txt", dice.roll(4)), &format!("new {count}\n"));
    }
    let command = COMMANDS[dice.roll(COMMANDS.len())];
    s.try_git_at(&s.work, command); // it may fail: a failed command is taken back all the same
    command.to_owned()
}

fn history(s: &Scene, dice: &mut Dice, length: usize) -> Vec<(String, Captured, Vec<String>)> {
    let one = |count| {
        let shot = refs_and_stash(s);
        let mut name = String::new();
        let captured = s.record("refs,index,worktree,stash,config", |s| name = run_one(s, dice, count));
        (name, captured, shot)
    };
    (0..length).map(one).collect()
}

/// What git says, without what depends on the working tree's files.
fn refs_and_stash(s: &Scene) -> Vec<String> {
    let mut shot = s.shot();
    shot.remove(1);
    shot
}

#[test]
fn from_the_last_to_the_first() {
    for seed in 0..4 {
        let (s, mut dice) = (Scene::new(), Dice(seed));
        let events = history(&s, &mut dice, 9);
        let names: Vec<&String> = events.iter().map(|e| &e.0).collect();
        for (at, (name, captured, shot)) in events.iter().enumerate().rev() {
            for step in s.steps(captured) {
                assert_eq!(step.verdict, StepVerdict::Restore, "seed {seed}, {at}: {name} of {names:?}");
                assert_eq!(s.apply(&step), StepOutcome::Done, "seed {seed}, {at}: {name} of {names:?}");
            }
            let now = s.observe(&captured.before);
            let left = difference(&captured.before.state, None, &now, &s.store).unwrap();
            assert_eq!(left, Vec::<String>::new(), "seed {seed}, {at}: {name} of {names:?}");
            pretty(&refs_and_stash(&s), shot);
        }
        let fsck = s.try_git_at(&s.work, "fsck --connectivity-only");
        assert!(fsck.status.success(), "seed {seed}: {}", String::from_utf8_lossy(&fsck.stderr));
    }
}

#[test]
fn one_out_of_the_middle() {
    let (mut restored, mut conflicts) = (0, 0);
    for seed in 142..150 {
        let (s, mut dice) = (Scene::new(), Dice(seed));
        let events = history(&s, &mut dice, 5);
        let (name, captured, _) = &events[dice.roll(4)];
        let shot = s.shot();
        for step in s.steps(captured) {
            match (&step.verdict, s.apply(&step)) {
                (StepVerdict::Restore, StepOutcome::Done) => {
                    restored += 1;
                    let now = s.observe(&captured.before);
                    let after = captured.after.as_ref();
                    let left = difference(&captured.before.state, after, &now, &s.store).unwrap();
                    let own: Vec<_> = left.iter().filter(|n| !n.starts_with("refs/remotes/")).collect();
                    assert!(own.is_empty(), "seed {seed}, {name}: {left:?}");
                }
                (StepVerdict::Already, _) => {}
                (StepVerdict::Conflict { .. }, StepOutcome::Conflict { .. }) => {
                    conflicts += 1;
                    pretty(&s.shot(), &shot);
                }
                other => panic!("seed {seed}, {name}: {other:?}\n{}", shot.join("")),
            }
        }
    }
    assert!(restored > 0 && conflicts > 0, "{restored} restored, {conflicts} conflicts");
}
