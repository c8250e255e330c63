//! An undo that is killed between two of its steps on one thing goes on where it stood.

use std::os::unix::fs::PermissionsExt;

use super::engine::Scene;
use crate::env::{Output, run};

/// Runs `fr` with an engine's CLI that kills it as soon as the engine has done what `words` say.
fn killed_after(scene: &Scene, words: &str, args: &[&str]) -> Output {
    let bin = scene.env.root().join("killing");
    std::fs::create_dir_all(&bin).unwrap();
    let real = scene.sh("command -v docker").ok().stdout;
    let text = format!(
        "#!/bin/sh\n{} \"$@\"; code=$?\ncase \" $* \" in *\" {words} \"*) kill -9 $PPID;; esac\nexit $code\n",
        real.trim()
    );
    std::fs::write(bin.join("docker"), text).unwrap();
    std::fs::set_permissions(bin.join("docker"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = scene.env.command(crate::env::TestEnv::binary());
    command.args(args).env("PATH", format!("{}:{}", bin.display(), scene.env.path()));
    run(command, b"")
}

#[test]
fn an_undo_that_is_killed_before_the_old_volume_is_made_brings_it_back_when_it_goes_on() {
    let Some(scene) = Scene::new() else { return };
    scene.filled_volume("docker", "pgdata");
    scene.sh("docker network create --subnet 10.66.0.0/24 back").ok();
    let before = scene.contents("docker", "pgdata");
    for (line, more, args) in [
        ("docker volume rm pgdata && docker volume create pgdata", "true", &["undo", "--yes"][..]),
        (
            "docker volume rm pgdata && docker volume create pgdata",
            "touch it",
            &["undo", "--session", "--yes"][..],
        ),
    ] {
        scene.agent(line).ok();
        scene.agent(more).ok();
        let id = scene.env.fr(&["timeline", "--json", "-n", "2"]).ok().json()[1]["id"].to_string();
        let args: Vec<&str> = args.iter().copied().chain((args.len() == 2).then_some(id.as_str())).collect();
        let killed = killed_after(&scene, "volume rm pgdata", &args);
        assert!(scene.inspect("volume pgdata").is_none(), "{args:?}: it was not killed there: {killed:?}");
        let resumed = scene.env.fr(&["undo", "--resume"]);
        assert_eq!(resumed.code, 0, "{args:?}: {resumed:?}");
        assert_eq!(scene.contents("docker", "pgdata"), before, "{args:?}: {resumed:?}");
        let redo = scene.env.fr(&["redo", "--yes"]);
        assert_eq!(redo.code, 0, "{args:?}: {redo:?}");
        assert_ne!(scene.contents("docker", "pgdata"), before, "{args:?}");
        let undo = scene.undo();
        assert_eq!(undo.code, 0, "{args:?}: {undo:?}");
        assert_eq!(scene.contents("docker", "pgdata"), before, "{args:?}: {undo:?}");
    }
}

#[test]
fn what_somebody_made_meanwhile_is_not_written_over_by_an_undo_that_goes_on() {
    let Some(scene) = Scene::new() else { return };
    scene.filled_volume("docker", "pgdata");
    scene.agent("docker volume rm pgdata && docker volume create pgdata").ok();
    killed_after(&scene, "volume rm pgdata", &["undo", "--yes"]);
    assert!(scene.inspect("volume pgdata").is_none());
    scene.sh("docker volume create pgdata && docker run --rm -v pgdata:/d base:1 touch /d/somebody").ok();
    let theirs = scene.contents("docker", "pgdata");
    let resumed = scene.env.fr(&["undo", "--resume"]);
    assert_ne!(resumed.code, 0, "{resumed:?}");
    assert_eq!(scene.contents("docker", "pgdata"), theirs, "{resumed:?}");
}
