//! Rows that change a remote. The remotes are real bare repositories; `origin` has commits that only a colleague has.

use super::{Row, come_back, picture, round_in, world};
use crate::env::TestEnv;

macro_rules! tables {
    ($($name:ident { $($before:literal => $line:literal;)* })*) => { $(
        #[test]
        fn $name() {
            come_back(&[$(Row { before: $before, line: $line }),*]);
        }
    )* };
}

tables! {
    plain_pushes {
        "git checkout -qf; git pull -q --no-edit --no-rebase; git commit -q --allow-empty -m m" => "git push";
        "git checkout -qf; git pull -q --no-edit --no-rebase; git commit -q --allow-empty -m m" => "git push origin main";
        "git checkout -qf; git pull -q --no-edit --no-rebase; git commit -q --allow-empty -m m" => "git push -u origin main feature";
        "" => "git push -u origin feature";
        "" => "git push origin HEAD:refs/heads/wip";
        "git checkout -q -f -b fresh" => "git push -u origin HEAD";
        "git checkout -q -f -b fresh; git config push.autoSetupRemote true" => "git push";
        "" => "git push origin light";
        "" => "git push --tags";
        "" => "git push --tags backup";
        "git tag -a v3 -m v3 feature" => "git push --follow-tags origin feature";
        "" => "git push backup --all";
        "git remote add third ../third.git" => "git push --all third";
        "" => "git push ../third.git main topic";
        "" => "git push $PWD/../third.git HEAD";
        "" => "git push backup topic merged:dev2";
        "git config push.default matching; git commit -q --allow-empty -m m" => "git push backup";
        "git config push.default current; git checkout -qf topic; git commit -q --allow-empty -m more" => "git push";
        "git config push.default upstream; git checkout -qf dev; git commit -q --allow-empty -m more" => "git push";
        "git config remote.backup.push refs/heads/topic:refs/heads/qa/topic" => "git push backup";
        "git config branch.main.pushRemote backup; git commit -q --allow-empty -m more" => "git push";
        "git config remote.pushDefault backup; git commit -q --allow-empty -m more" => "git push";
        "git config remote.origin.pushurl ../third.git" => "git push origin main";
        "git remote set-url --add --push origin ../third.git; git remote set-url --add --push origin ../backup.git; git commit -q --allow-empty -m m" => "git push origin main";
        "git config url.../third.insteadOf short:" => "git push short:.git main";
        "" => "git -C src push ../third.git main";
        "" => "cd .. && git --git-dir=project/.git push third.git main";
        "" => "git -c push.default=current push origin feature";
        "" => "B=feature; git push origin $B";
        "" => "for b in feature merged; do git push -q origin $b; done";
        "git config alias.pub 'push origin'" => "git pub feature";
        "" => "git push origin refs/notes/commits:refs/notes/other";
        "" => "git push --atomic origin feature light";
        "" => "git send-pack ../third.git main";
        "" => "git push origin feature && git commit -qam more && git branch -D topic";
    }
    forced_pushes {
        "" => "git push -f origin main";
        "" => "git push --mirr backup";
        "" => "git push -uf origin topic~1:topic";
        "" => "git push --force-with-lease=main:$(git ls-remote ../remote.git main | cut -f1) origin main";
        "git fetch -q" => "git push --force-with-lease origin main topic~1:topic";
        "git fetch -q" => "git push --force-if-includes --force-with-lease=main origin topic:topic +main";
        "" => "git push origin +HEAD:main +topic~1:topic";
        "" => "git push origin '+refs/heads/*:refs/heads/*'";
        "git config remote.origin.push +refs/heads/*:refs/heads/*" => "git push origin";
        "git config remote.origin.push +refs/heads/main" => "git push";
        "git config remote.origin.mirror true" => "git push origin";
        "" => "git push --mirror origin";
        "" => "git push --prune origin 'refs/heads/*:refs/heads/*'";
        "" => "git push --prune --force origin 'refs/*:refs/*'";
        "" => "git push --force --tags origin light~1:refs/tags/v1";
        "" => "git push --all --force origin";
        "" => "git push -o ci.skip -f ../remote.git main";
        "git config remote.origin.pushurl ../backup.git" => "git push -f origin topic:main";
        "git remote set-url --add --push origin ../remote.git; git remote set-url --add --push origin ../backup.git" => "git push -f origin topic:main";
        "" => "git --git-dir=.git --work-tree=. push -f origin main";
        "" => "git send-pack --force ../remote.git main";
        "" => "git push -f origin $(echo main)";
    }
    deletions {
        "" => "git push origin --delete topic";
        "" => "git push -d origin topic theirs release";
        "" => "git push --del origin refs/tags/v1";
        "" => "git push origin :topic :refs/tags/release";
        "" => "git push origin feature :topic +main";
        "" => "git push --delete origin tag v1";
        "git config push.default matching" => "git push -d backup dev";
        "" => "git push origin :refs/notes/commits";
    }
}

/// The remote's own refs.
fn refs(env: &TestEnv, remote: &str) -> String {
    env.sh(&format!("git -C ../{remote} for-each-ref")).ok().stdout
}

#[test]
fn a_plain_push_is_taken_back_only_with_what_it_means_said() {
    let env = world();
    env.fr(&["exec", "-c", "git push -q origin feature"]).ok();
    let plan = env.fr(&["undo", "1", "--dry-run"]).ok();
    assert!(plan.stdout.contains("who has fetched it keeps it"), "{plan:?}");
    assert!(plan.stdout.contains("compensating"), "{plan:?}");
}

#[test]
fn a_plain_push_that_others_built_upon_stays() {
    let env = world();
    env.fr(&["exec", "-c", "git push -q origin feature"]).ok();
    env.sh("cd ../colleague; git fetch -q; git checkout -q feature; git commit -q --allow-empty -m more; git push -q origin feature")
        .ok();
    let now = refs(&env, "remote.git");
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_eq!(undo.code, 4, "{undo:?}");
    assert!(undo.stderr.contains("somebody pushed since"), "{undo:?}");
    assert_eq!(refs(&env, "remote.git"), now);
}

#[test]
fn a_push_that_was_rejected_has_nothing_to_take_back() {
    let env = world();
    let before = refs(&env, "remote.git");
    assert_ne!(env.fr(&["exec", "-c", "git push -q origin main"]).code, 0, "the colleague was first");
    assert_eq!(env.fr(&["undo", "1", "--yes"]).code, 5);
    assert_eq!(refs(&env, "remote.git"), before);
}

#[test]
fn a_remote_that_refuses_the_way_back_says_what_is_left() {
    for (setting, line, says) in [
        ("receive.denyNonFastForwards", "git push -q origin dev", "Revert on top"),
        ("receive.denyDeletes", "git push -q origin feature", "administrator"),
    ] {
        let env = world();
        env.sh("git checkout -qf dev; git commit -q --allow-empty -m more").ok();
        env.sh(&format!("git -C ../remote.git config {setting} true")).ok();
        env.fr(&["exec", "-c", line]).ok();
        let pushed = refs(&env, "remote.git");
        let undo = env.fr(&["undo", "1", "--yes"]);
        assert!(![0, 5].contains(&undo.code), "{line}: {undo:?}");
        assert!(format!("{}{}", undo.stdout, undo.stderr).contains(says), "{line}: {undo:?}");
        assert_eq!(refs(&env, "remote.git"), pushed);
        // Once it allows it, the same undo works.
        env.sh(&format!("git -C ../remote.git config {setting} false")).ok();
        let again = env.fr(&["undo", "1", "--yes"]);
        assert_eq!(again.code, 0, "{again:?}");
        assert_ne!(refs(&env, "remote.git"), pushed);
    }
}

#[test]
fn a_protected_branch_refuses_by_its_hook() {
    let env = world();
    env.fr(&["exec", "-c", "git push -q -f origin main"]).ok();
    env.sh("printf '#!/bin/sh\\necho protected >&2; exit 1\\n' > ../remote.git/hooks/update; chmod +x ../remote.git/hooks/update")
        .ok();
    let undo = env.fr(&["undo", "1", "--yes"]);
    assert_ne!(undo.code, 0);
    assert!(format!("{}{}", undo.stdout, undo.stderr).contains("the remote refused"), "{undo:?}");
}

#[test]
fn a_sha256_remote() {
    let env = TestEnv::new();
    env.sh(
        "set -e; git init -q --object-format=sha256; git init -q --bare --object-format=sha256 ../remote.git
         git remote add origin ../remote.git; echo 1 > a; git add a; git commit -qm 1; git push -q -u origin main
         git clone -q ../remote.git ../colleague; cd ../colleague; echo 2 > a; git commit -qam 2; git push -q
         git -C ../remote.git branch other main~1; cd ../project; echo mine > a; git commit -qam mine",
    )
    .ok();
    let before = refs(&env, "remote.git");
    for (n, line) in
        ["git push -f origin main", "git push origin main:new", "git push -d origin other"].iter().enumerate()
    {
        env.fr(&["exec", "-c", line]).ok();
        env.sh("rm -rf ../colleague; git -C ../remote.git reflog expire --expire=now --all; git -C ../remote.git gc -q --prune=now").ok();
        assert_ne!(refs(&env, "remote.git"), before, "{line}");
        let undo = env.fr(&["undo", &(2 * n + 1).to_string(), "--yes"]);
        assert_eq!(undo.code, 0, "{line}: {undo:?}");
        assert_eq!(refs(&env, "remote.git"), before, "{line}");
        env.sh("git -C ../remote.git fsck --connectivity-only").ok();
    }
}

#[test]
fn a_remote_that_hangs_does_not_hold_the_push_for_long() {
    let env = world();
    // A server that takes the connection and says nothing.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    env.sh(&format!("git remote set-url origin git://127.0.0.1:{port}/x.git")).ok();
    let start = std::time::Instant::now();
    let call = env.claude_pre("git push origin main");
    let took = start.elapsed();
    assert_eq!(call.answer.code, 0, "{:?}", call.answer);
    assert!(took.as_secs() < 15, "{took:?}");
    let show = env.fr(&["show", "1"]).ok();
    assert!(show.stdout.contains("the remote side is not captured"), "{show:?}");
    drop(listener);
}

#[test]
fn helpers_of_the_user_are_asked_and_those_of_the_repository_are_not() {
    let env = world();
    let helper = |name: &str| {
        let path = env.root().join(name);
        std::fs::write(&path, format!("#!/bin/sh\necho $1 >> {}/asked-{name}\n", env.root().display()))
            .unwrap();
        env.sh(&format!("chmod +x ../{name}")).ok();
        path
    };
    let (own, foreign) = (helper("mine"), helper("theirs"));
    env.sh(&format!(
        "git config --global credential.helper {}; git config credential.helper {}",
        own.display(),
        foreign.display()
    ))
    .ok();
    // A server that wants a password.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(
                b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            );
        }
    });
    env.sh(&format!("git remote set-url origin http://127.0.0.1:{port}/x.git")).ok();
    env.claude_pre("git push -f origin main");
    assert!(env.exists("../asked-mine"), "the user's own helper is asked, as git would");
    assert!(!env.exists("../asked-theirs"), "a program of the repository ran");
    let show = env.fr(&["show", "1"]).ok();
    assert!(show.stdout.contains("the remote side is not captured"), "{show:?}");
}

#[test]
fn programs_that_the_command_names_are_not_started_before_it_may_run() {
    let env = world();
    env.sh("printf '#!/bin/sh\\ntouch %s/TRAP\\nexit 1\\n' $(realpath ..) > ../trap; chmod +x ../trap").ok();
    for line in [
        "git push --receive-pack=../trap -f origin main",
        "git push --exec ../trap origin feature",
        "git push --exec=../trap --delete origin topic",
        "git -c core.sshCommand=../trap push -f ssh://127.0.0.1:1/x main",
        "git -c credential.helper='!../trap' -c remote.origin.receivepack=../trap push -f origin main",
        "git -c protocol.ext.allow=always push -f 'ext::../trap' main",
        "git -c core.gitProxy=../trap push git://127.0.0.1:1/x main",
        "git -c url.ext::../trap.insteadOf=x: push x:y main",
        "git -c CORE.hooksPath=.. -c Core.fsmonitor=../trap push origin feature",
        "git -c remote.origin.vcs=trap push origin feature",
        "git -c alias.x='!../trap' x; git -c alias.y='push -f' y origin main",
    ] {
        env.claude_pre(line);
        assert!(!env.exists("../TRAP"), "{line}: was started by a look at it");
    }
}

#[test]
fn pushes_and_local_commands_come_back_as_one() {
    let env = world();
    let before = picture(&env);
    for line in [
        "git push -q -u origin feature",
        "git commit -qam more",
        "git push -q -f origin main",
        "git push -q origin :topic",
        "git branch -qD topic",
        "git submodule update -q --force",
        "git rerere clear",
        "git commit -q --amend -m again",
        "git push -q -f origin main feature",
    ] {
        env.fr(&["exec", "-c", line]).ok();
    }
    let undo = env.fr(&["undo", "1..9", "--yes"]);
    assert_eq!(undo.code, 0, "{undo:?}");
    assert_eq!(before.differences(&picture(&env)), Vec::<String>::new(), "{undo:?}");
}

#[test]
fn what_the_push_and_more_did_comes_back_together() {
    let env = world();
    let before = picture(&env);
    round_in(&env, "git push -q -u origin feature; git push -q -f origin main; git push -q origin :topic; git branch -D dev").unwrap();
    assert!(before.differences(&picture(&env)).is_empty());
}
