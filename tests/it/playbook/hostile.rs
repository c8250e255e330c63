//! Values that want to be more than values: from an agent's command line, a branch's name, a file's name.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;

use super::{own, playbook};
use crate::env::{Output, TestEnv, run};

/// A world with a program that keeps its arguments, each with a NUL behind it.
fn world() -> TestEnv {
    let mut env = TestEnv::new();
    let bin = env.root().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::fs::write(bin.join("keep"), "#!/bin/sh\nprintf '%s\\0' \"$@\" > kept\n").unwrap();
    std::fs::set_permissions(bin.join("keep"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), env.path());
    env.vars.push(("PATH".to_owned(), path));
    own(
        &env,
        "keeps",
        "vars: {x: {about: x}}
steps:
  - {id: keep, title: 'keep ${{ vars.x }}', phase: assess, run: [keep, a, 'x=${{ vars.x }}', --, '${{ vars.x }}', z]}
  - {id: line, title: a line, phase: assess, shell: 'printf %s \"$FR_VAR_X\" > line'}
",
    );
    env
}

fn with(env: &TestEnv, value: &[u8]) -> Output {
    let mut command = env.command(TestEnv::binary());
    let var = [b"x=".as_slice(), value].concat();
    command
        .args(["playbook", "run", "keeps", "--confirm", "keep,line", "--var"])
        .arg(OsStr::from_bytes(&var));
    run(command, b"")
}

#[test]
fn a_hostile_value_stays_one_argument_and_data() {
    let env = world();
    let values: [&[u8]; 19] = [
        b"plain",
        b"two words",
        b"$(touch pwned)",
        b"`touch pwned`",
        b"; touch pwned",
        b"| touch pwned #",
        b"a\ntouch pwned\n",
        b"'; touch pwned; '\"",
        b"${{ vars.x }} ${{ secret.y }}",
        b"\x1b[31mred\x1b]0;title\x07",
        b"caf\xe9 \xff\xfe",
        b"-rf",
        b"{{",
        b"}}",
        b"{{ 7 * 7 }} {% raw %} ${{",
        b"$FR_VAR_X ${FR_VAR_X} $IFS",
        b"\r\n--\r\n",
        b"\xc2\x9b31m\xe2\x80\xae",
        b"*",
    ];
    for value in values {
        let shown = String::from_utf8_lossy(value).into_owned();
        let out = with(&env, value);
        assert_eq!(out.code, 0, "{shown:?}: {out:?}");
        let mut kept = Vec::new();
        for argument in [&b"a"[..], &[b"x=", value].concat(), b"--", value, b"z"] {
            kept.extend_from_slice(argument);
            kept.push(0);
        }
        assert_eq!(std::fs::read(env.project.join("kept")).unwrap(), kept, "{shown:?}");
        assert_eq!(std::fs::read(env.project.join("line")).unwrap(), value, "{shown:?}");
        assert!(!env.exists("pwned"), "{shown:?}");
        assert!(!out.stdout.contains('\u{1b}') && !out.stdout.contains('\u{7}'), "{:?}", out.stdout);
        let timeline = env.fr(&["timeline"]).ok().stdout;
        assert!(!timeline.contains('\u{1b}'), "{timeline:?}");
    }
    env.fr(&["store", "verify"]).ok();
}

/// Where a program would take the value for an option, nothing runs.
#[test]
fn a_value_that_looks_like_an_option_is_refused_where_it_would_be_one() {
    let env = world();
    own(
        &env,
        "keeps",
        "vars: {x: {about: x}}\nsteps:\n  - {id: keep, title: keep, phase: assess, run: [keep, '${{ vars.x }}']}\n  - {id: line, title: a, phase: assess, verify: [ls]}\n",
    );
    for value in [&b"-rf"[..], b"--upload-pack=touch pwned", b"-"] {
        let out = with(&env, value);
        assert_eq!(out.code, 1, "{out:?}");
        assert!(out.stdout.contains("begins with \"-\""), "{out:?}");
        assert!(!env.exists("kept"));
    }
    assert_eq!(with(&env, b"").code, 0, "an empty one is an empty argument");
    assert_eq!(std::fs::read(env.project.join("kept")).unwrap(), b"\0");
}

/// What a command answered, or a file is called, may hold anything at all: a NUL ends no argument early, and a secret in it is
/// not taken for the real one.
#[test]
fn what_an_earlier_step_answered_is_data_too() {
    let env = world();
    own(
        &env,
        "keeps",
        "steps:
  - {id: told, title: told, phase: assess, verify: [cat, told]}
  - {id: keep, title: keep, phase: assess, run: [keep, --, '${{ steps.told.stdout }}']}
  - {id: env, title: env, phase: assess, run: [printenv, TOLD], env: {TOLD: '${{ steps.told.stdout }}'}}
  - {id: line, title: 'a line', phase: assess, verify: [ls], when: [{value: '${{ steps.told.stdout }}', contains: '$('}]}
",
    );
    let run = |told: &[u8]| {
        let _ = std::fs::remove_file(env.project.join("kept"));
        env.write("told", told);
        playbook(&env, &["run", "keeps", "--confirm", "keep,env"])
    };
    for told in [&b"$(touch pwned)\n; touch pwned"[..], b"{{ x }} ${{ vars.x }}", b"\x1b]0;title\x07\x1b[2J"]
    {
        let out = run(told);
        assert_eq!(out.code, 0, "{out:?}");
        assert_eq!(std::fs::read(env.project.join("kept")).unwrap(), [b"--\0", told, b"\0"].concat());
        assert!(!env.exists("pwned") && !out.stdout.contains(['\u{1b}', '\u{7}']), "{out:?}");
    }
    for (told, said) in [
        (&b"a\0b"[..], "would hold a NUL"),
        (
            b"AKIAIOSFODNN7EXAMPLE aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "a secret was taken out",
        ),
        (&b"x".repeat(5000), "too long to be kept"),
    ] {
        let out = run(told);
        assert_eq!(out.code, 1, "{out:?}");
        assert!(out.stdout.contains(said) && !env.exists("kept"), "{said}: {out:?}");
    }
}

/// An agent names its branch, its file, its session as it likes; the playbook takes its values from there.
#[test]
fn what_an_event_tells_is_data_too() {
    let env = world();
    own(
        &env,
        "keeps",
        "vars: {x: {about: x, from: event.resource, take: '^path:(.*)$'}}
steps:
  - {id: keep, title: keep, phase: assess, run: [keep, --, '${{ vars.x }}', '${{ event.line }}']}
",
    );
    let name = "$(touch pwned); `touch pwned` \u{1b}[31m";
    env.write(name, "x");
    env.claude_runs("rm -- *pwned*");
    let out = playbook(&env, &["run", "keeps", "--confirm", "keep"]);
    assert_eq!(out.code, 0, "{out:?}");
    let kept = env.read("kept");
    assert!(kept.contains("\0rm -- *pwned*\0"), "{kept:?}");
    assert!(!env.exists("pwned") && !out.stdout.contains('\u{1b}'), "{out:?}");
}

#[test]
fn odd_flags_are_one_line_and_no_panic() {
    let env = world();
    for args in [
        &["run", "keeps", "--var", "x"][..],
        &["run", "keeps", "--var", "=x"],
        &["run", "keeps", "--var", "y=x"],
        &["run", "keeps"],
        &["run", "keeps", "--var", "x=1", "--answer", "keep"],
        &["run", "keeps", "--var", "x=1", "--event", "999"],
        &["run", "keeps", "--var", "x=1", "--session", "nobody"],
        &["show", "nothing"],
        &["lint", "nothing"],
        &["export", "nothing"],
        &["resume", "zz"],
    ] {
        let out = playbook(&env, args);
        assert!(out.code == 2 || out.code == 10, "{args:?}: {out:?}");
        assert_eq!(out.stderr.lines().filter(|line| line.contains("error:")).count(), 1, "{args:?}: {out:?}");
    }
}
