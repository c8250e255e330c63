//! What could not be kept is named, and an undo that would lie does not say "undone".

use super::engine::Scene;

#[test]
fn a_volume_over_the_cap_is_named_and_not_replaced_by_an_empty_one() {
    let Some(scene) = Scene::new() else { return };
    scene.filled_volume("docker", "pgdata");
    std::fs::create_dir_all(&scene.env.fr_home).unwrap();
    std::fs::write(scene.env.fr_home.join("config.toml"), "[caps]\ncontainer_bytes = 1000\n").unwrap();
    scene.agent("docker volume rm pgdata").ok();
    assert!(scene.event().to_string().contains("container_bytes"), "{:#}", scene.event());
    let out = scene.undo();
    assert_ne!(out.code, 0, "{out:?}");
    assert!(scene.inspect("volume pgdata").is_none());
}

#[test]
fn an_engine_that_does_not_answer_costs_the_capture_and_is_named() {
    let Some(mut scene) = Scene::new() else { return };
    scene.env.vars.push(("DOCKER_HOST".to_owned(), "unix:///nonexistent.sock".to_owned()));
    let call = scene.env.claude_pre("docker volume rm pgdata");
    assert_eq!((call.answer.code, call.answer.stdout.as_str()), (0, ""));
    assert!(scene.event().to_string().contains("was not captured"), "{:#}", scene.event());
    assert_eq!(scene.undo().code, 5);
}

#[test]
fn a_log_does_not_come_back_and_is_put_beside() {
    let Some(scene) = Scene::new() else { return };
    scene.sh("docker run --name job base:1 sh -c 'echo the only trace'").ok();
    scene.agent("docker container prune -f").ok();
    let id = scene.event()["id"].to_string();
    let out = scene.undo();
    assert_eq!(out.code, 3, "{out:?}");
    assert!(scene.inspect("container job").is_some());
    scene.env.fr(&["restore", &id, "--to", "beside"]).ok();
    assert_eq!(scene.env.read("beside/container/job.log"), "the only trace\n");
}

#[test]
fn a_drill_passes_and_leaves_nothing_on_the_engine() {
    let Some(scene) = Scene::new() else { return };
    let list = "docker ps -aq; docker volume ls -q; docker image ls -aq --no-trunc | sort";
    let before = scene.sh(list).ok().stdout;
    let out = scene.env.fr(&["drill", "--system", "docker"]);
    assert_eq!(out.code, 0, "{out:?}");
    assert!(out.stdout.contains("docker volume rm"), "{out:?}");
    assert_eq!(scene.sh(list).ok().stdout, before);
}
