//! The real program: found as the shell would have, never ourselves, never for ever.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::World;
use crate::env::{TestEnv, run};

#[test]
fn links_are_made_for_what_is_there_and_nothing_else() {
    let world = World::new();
    let status = world.env.fr(&["shims", "status", "--json"]).ok().json();
    assert_eq!(status["on_path"], true);
    let state = |name: &str| {
        let programs = status["programs"].as_array().unwrap();
        programs.iter().find(|shim| shim["name"] == name).unwrap()["state"].clone()
    };
    assert_eq!(state("rm"), "active");
    let missing = world.env.sh("command -v redis-cli || echo none").ok().stdout;
    assert_eq!(missing == "none\n", state("redis-cli") == "no-program", "{missing}");
    // A program that came later, and one that went.
    world.program("mongosh", "#!/bin/sh\n");
    assert_eq!(
        world.env.sh("command -v mongosh").ok().stdout.trim(),
        world.bin.join("mongosh").to_str().unwrap()
    );
    world.enable();
    assert_eq!(
        world.env.sh("command -v mongosh").ok().stdout.trim(),
        world.shims.join("mongosh").to_str().unwrap()
    );
    std::fs::remove_file(world.bin.join("mongosh")).unwrap();
    world.enable();
    assert!(!world.shims.join("mongosh").exists());
    world.env.fr(&["shims", "disable"]).ok();
    assert!(!world.shims.exists());
    assert_eq!(world.env.sh("command -v rm").ok().stdout, "/usr/bin/rm\n");
}

#[test]
fn shims_do_not_go_where_they_do_not_belong() {
    let world = World::with_git();
    let inside = world.env.project.join("shims");
    let out = world.env.fr(&["shims", "enable", "--dir", inside.to_str().unwrap()]);
    assert_eq!(out.code, 1);
    assert!(out.stderr.contains("work tree") && out.stderr.contains("hint"), "{out:?}");
    world.program("rm", "#!/bin/sh\n");
    let out = world.env.fr(&["shims", "enable", "--dir", world.bin.to_str().unwrap()]);
    assert!(out.code == 1 && out.stderr.contains("other things"), "{out:?}");
    world.env.fr(&["shims", "disable", "--dir", world.bin.to_str().unwrap()]).ok();
    assert!(world.bin.join("rm").exists(), "what is not ours is not removed");
}

/// Directories that lead to shims again, in every way there is: none of them is taken for the real thing.
#[test]
fn no_shim_is_taken_for_the_real_program() {
    let world = World::new();
    let root = world.env.root();
    symlink(&world.shims, root.join("alias")).unwrap();
    let copy = root.join("copied");
    std::fs::create_dir(&copy).unwrap();
    // Another version of fr: another file, with shims of its own.
    std::fs::copy(TestEnv::binary(), copy.join("fr")).unwrap();
    let others = root.join("others");
    std::fs::create_dir(&others).unwrap();
    symlink(copy.join("fr"), others.join("rm")).unwrap();
    let hard = root.join("hard");
    std::fs::create_dir(&hard).unwrap();
    std::fs::copy(TestEnv::binary(), hard.join("rm")).unwrap();
    let (shims, path) = (world.shims.display(), world.env.path());
    let others = format!("{}:{}", others.display(), hard.display());
    for before in [
        format!("{shims}:{shims}"),
        format!("../fr/shims:{shims}:."),
        format!("{}:{shims}", root.join("alias").display()),
        format!("{shims}:{others}"),
        format!("{others}:{shims}:{others}:../fr/shims:{}", root.join("alias").display()),
        format!(":{shims}::"),
    ] {
        world.env.write("f", "x");
        let mut bash = world.env.command("bash");
        bash.args(["--norc", "-c", "rm $(echo f)"]).env("PATH", format!("{before}:{path}"));
        let count = world.events().len();
        run(bash, b"").ok();
        assert!(!world.env.exists("f"), "{before}");
        assert_eq!(world.events().len(), count + 1, "once, whatever is on the way: {before}");
    }
}

#[test]
fn version_managers_may_call_the_name_again() {
    let world = World::new();
    let real = world.bin.join("real");
    std::fs::create_dir(&real).unwrap();
    let program = world.program("real/mongosh", "#!/bin/sh\necho \"real $*\"\n");
    assert!(program.exists());
    // As asdf and mise do: the same process becomes the chosen version, found by another PATH.
    let manager = format!("#!/bin/sh\nPATH={}:$PATH exec mongosh \"$@\"\n", real.display());
    world.program("mongosh", &manager);
    world.enable();
    assert_eq!(world.env.sh("mongosh a").ok().stdout, "real a\n");
    let shims = world.shims.display();
    world.program(
        "mongosh",
        &format!("#!/bin/sh\nPATH={shims}:{}:$PATH exec mongosh \"$@\"\n", real.display()),
    );
    assert_eq!(world.env.sh("mongosh b").ok().stdout, "real b\n");
    // One that only ever finds itself.
    world.program("mongosh", "#!/bin/sh\nexec mongosh \"$@\"\n");
    let out = world.env.sh("timeout 20 mongosh c; echo $?").ok();
    assert_eq!(out.stdout, "126\n", "{out:?}");
    assert!(out.stderr.contains("call each other"), "{out:?}");
}

#[test]
fn a_program_that_is_gone_is_said_as_the_shell_says_it() {
    let world = World::new();
    let path = world.shims.display();
    let fields = |line: &str| {
        let mut bash = world.env.command("/bin/bash");
        bash.args(["--norc", "-c", line]).env("PATH", path.to_string());
        run(bash, b"")
    };
    let out = fields("rm x; echo $?");
    assert_eq!((out.stdout.as_str(), out.stderr.as_str()), ("127\n", "bash: rm: command not found\n"));
    let dir = world.bin.join("rm");
    std::fs::write(&dir, "").unwrap();
    std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut bash = world.env.command("/bin/bash");
    bash.args(["--norc", "-c", "rm x; echo $?"]).env("PATH", format!("{path}:{}", world.bin.display()));
    let out = run(bash, b"");
    assert_eq!(out.stdout, "126\n");
    assert!(out.stderr.ends_with("/bin/rm: Permission denied\n"), "{out:?}");
    assert_eq!(world.events().len(), 0);
}

#[test]
fn paths_of_all_kinds() {
    let world = World::new();
    world.env.write("f", "x");
    // A directory of the name is no program, and an empty element is the directory we are in.
    std::fs::create_dir(world.bin.join("mongosh")).unwrap();
    world.env.write("mongosh", "#!/bin/sh\necho here\n");
    let file = world.env.project.join("mongosh");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let enable = |path: &str| {
        let mut fr = world.env.command(TestEnv::binary());
        fr.args(["shims", "enable"]).env("PATH", path);
        run(fr, b"").ok();
    };
    enable(&format!("{}::/usr/bin", world.bin.display()));
    let mut bash = world.env.command("/bin/bash");
    let path = format!("{}:{}::/usr/bin", world.shims.display(), world.bin.display());
    bash.args(["--norc", "-c", "mongosh"]).env("PATH", path);
    assert_eq!(run(bash, b"").ok().stdout, "here\n");
    // Without PATH there is still the default.
    let mut shim = world.env.command(world.shims.join("rm"));
    shim.arg("f").env_remove("PATH");
    run(shim, b"").ok();
    assert!(!world.env.exists("f"));
}
