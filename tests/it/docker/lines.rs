//! Lines of several commands on one thing: what each of them captured is put together, and nothing is done twice.

use serde_json::Value;

use super::engine::Scene;

/// A container that runs and has written something outside of its volumes.
fn web(scene: &Scene) -> Value {
    scene
        .sh("docker run -d --name web --network none -e A=old base:1 sh -c 'echo mine >/etc/mine; exec sleep 1000'")
        .ok();
    scene.sh("while ! docker exec web cat /etc/mine; do sleep 0.1; done").ok();
    scene.inspect("container web").unwrap()
}

#[track_caller]
fn is_back(scene: &Scene, before: &Value, told: &str) {
    let now = scene.inspect("container web").unwrap_or_else(|| panic!("{told}: it is not there"));
    for same in ["Env", "Cmd", "Labels"] {
        assert_eq!(now["Config"][same], before["Config"][same], "{told}: {same}");
    }
    assert_eq!(now["State"]["Status"], before["State"]["Status"], "{told}");
    assert_eq!(scene.sh("docker exec web cat /etc/mine").stdout, "mine\n", "{told}: what it wrote");
}

fn names(scene: &Scene) -> String {
    scene.sh("docker ps -a --format '{{.Names}}' | sort | tr '\\n' ' '").ok().stdout
}

#[test]
fn a_container_that_is_stopped_and_removed_or_removed_and_asked_for_again_has_what_it_wrote() {
    let Some(scene) = Scene::new() else { return };
    let before = web(&scene);
    for line in [
        "docker stop -t 0 web && docker rm web",
        "docker kill web; docker rm web; docker rm web",
        "docker rm -f web; docker start web; docker update --restart no web",
        "docker rm -f web && docker network prune -f",
    ] {
        scene.agent(line);
        assert!(scene.inspect("container web").is_none(), "{line}");
        let out = scene.undo();
        assert_eq!(out.code, 0, "{line}: {out:?}");
        is_back(&scene, &before, &format!("{line}: {out:?}"));
    }
}

#[test]
fn a_container_that_is_renamed_and_changed_is_never_removed_nor_made_twice() {
    let Some(scene) = Scene::new() else { return };
    let before = web(&scene);
    for line in [
        "docker rename web old && docker stop -t 0 old",
        "docker stop -t 0 web && docker rename web old",
        "docker rename web old && docker update --restart on-failure old && docker pause old",
    ] {
        scene.agent(line).ok();
        assert_eq!(names(&scene), "old ", "{line}");
        let out = scene.undo();
        assert_eq!(out.code, 0, "{line}: {out:?}");
        is_back(&scene, &before, &format!("{line}: {out:?}"));
        assert_eq!(scene.inspect("container web").unwrap()["Id"], before["Id"], "{line}");
        assert_eq!(names(&scene), "web ", "{line}");
    }
}

#[test]
fn a_container_in_whose_place_another_was_put_takes_its_place_again() {
    let Some(scene) = Scene::new() else { return };
    let before = web(&scene);
    for line in [
        "docker rm -f web && docker run -d --name web --network none base:1 sleep 2000",
        // The very same words: what the old one wrote is not in the new one.
        "docker rm -f web && docker run -d --name web --network none -e A=old base:1 sh -c 'echo mine >/etc/other; exec sleep 1000'",
        "docker rename web old && docker run -d --name web --network none base:1 sleep 2000",
    ] {
        scene.agent(line).ok();
        let after = names(&scene);
        let out = scene.undo();
        assert_eq!(out.code, 0, "{line}: {out:?}");
        is_back(&scene, &before, &format!("{line}: {out:?}"));
        assert_eq!(names(&scene), "web ", "{line}");
        let redo = scene.env.fr(&["redo", "--yes"]);
        assert_eq!(redo.code, 0, "{line}: {redo:?}");
        assert!(after.contains("web") && names(&scene).contains("web"), "{line}: {redo:?}");
        assert_ne!(scene.sh("docker exec web cat /etc/mine").code, 0, "{line}: {redo:?}");
        let again = scene.undo();
        assert_eq!(again.code, 0, "{line}: {again:?}");
        is_back(&scene, &before, &format!("{line}: {again:?}"));
    }
}

#[test]
fn a_volume_or_a_network_that_is_made_anew_by_the_same_line_is_the_old_one_again() {
    let Some(scene) = Scene::new() else { return };
    scene.filled_volume("docker", "pgdata");
    scene.sh("docker network create --subnet 10.66.0.0/24 back").ok();
    let look = || {
        (scene.contents("docker", "pgdata"), scene.inspect("network back").unwrap()["IPAM"]["Config"].clone())
    };
    let before = look();
    scene
        .agent("docker volume rm pgdata && docker volume create pgdata; docker network rm back && docker network create --subnet 10.67.0.0/24 back")
        .ok();
    let after = look();
    assert_ne!(after, before);
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(look(), before);
    let redo = scene.env.fr(&["redo", "--yes"]);
    assert_eq!(redo.code, 0, "{redo:?}");
    assert_eq!(look(), after);
    // Somebody has put something into the new one.
    scene.sh("docker run --rm -v pgdata:/d base:1 touch /d/somebody").ok();
    let out = scene.undo();
    assert_eq!(out.code, 4, "{out:?}");
}

#[test]
fn all_that_a_list_of_the_engine_names_is_captured_by_the_hook() {
    let Some(scene) = Scene::new() else { return };
    let before = web(&scene);
    scene.sh("docker create --name other --network none base:1 true").ok();
    scene.filled_volume("docker", "pgdata");
    let volume = scene.contents("docker", "pgdata");
    for line in [
        "docker rm -f $(docker ps -aq)",
        "docker stop -t 0 $(docker ps -q) && docker container rm `docker container ls -aq --no-trunc`",
        "docker rm -f $(docker ps -aq --filter name=web) $(docker ps -aq -f name=other)",
        "docker ps -aq | xargs docker rm -f",
        "docker ps --all --quiet --no-trunc | xargs -r -n 1 docker container rm -fv",
        "docker stop -t 0 $(docker ps -q); docker ps -aq | xargs -I{} docker rm {}",
    ] {
        scene.agent(line).ok();
        assert_eq!(names(&scene), "", "{line}");
        let out = scene.undo();
        assert_eq!(out.code, 0, "{line}: {out:?}");
        assert_eq!(names(&scene), "other web ", "{line}");
        is_back(&scene, &before, line);
    }
    for line in ["docker volume rm $(docker volume ls -q)", "docker volume ls -q | xargs docker volume rm"] {
        scene.agent(line).ok();
        assert!(scene.inspect("volume pgdata").is_none());
        let out = scene.undo();
        assert_eq!(out.code, 0, "{line}: {out:?}");
        assert_eq!(scene.contents("docker", "pgdata"), volume);
    }
    // A part of a list is not known before it runs, and that is said.
    for line in [
        "docker ps -aq | head -1 | xargs docker rm -f",
        "cat ids | xargs docker rm -f",
        "docker ps -aq | xargs -I{} docker rm -f x{}",
    ] {
        scene.env.claude_pre(line);
        let shown = scene.env.fr(&["show", &scene.event()["id"].to_string()]).ok().stdout;
        assert!(shown.contains("not captured"), "{line}: {shown}");
    }
}

#[test]
fn anonymous_volumes_stay_with_their_container_however_often_it_goes_and_comes() {
    let Some(scene) = Scene::new() else { return };
    scene
        .sh("docker run -d --name web --network none -v /one --mount type=volume,dst=/two base:1 \
             sh -c 'echo 1 >/one/x; echo 2 >/two/x; exec sleep 1000'")
        .ok();
    scene.sh("while ! docker exec web cat /two/x; do sleep 0.1; done").ok();
    for line in ["docker rm -f web", "docker rm -fv web"] {
        scene.agent(line).ok();
        let out = scene.undo();
        assert_eq!(out.code, 0, "{line}: {out:?}");
        for _ in 0..2 {
            assert_eq!(scene.sh("docker exec web cat /one/x /two/x").stdout, "1\n2\n", "{line}: {out:?}");
            scene.undo().ok();
            assert!(scene.inspect("container web").is_none());
            scene.undo().ok();
        }
        assert_eq!(scene.sh("docker exec web cat /one/x /two/x").stdout, "1\n2\n", "{line}");
    }
}

#[test]
fn a_limit_that_the_engine_does_not_take_away_is_named() {
    let Some(scene) = Scene::new() else { return };
    web(&scene);
    scene.agent("docker update --restart always web").ok();
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    let now = scene.inspect("container web").unwrap();
    assert_eq!(now["HostConfig"]["RestartPolicy"]["Name"], "no", "{out:?}");
    scene.agent("docker update --memory 64m --memory-swap 64m web && docker stop -t 0 web").ok();
    let out = scene.undo();
    assert_eq!(out.code, 3, "{out:?}");
    assert!(format!("{out:?}").contains("Memory, MemorySwap"), "{out:?}");
    assert_eq!(scene.inspect("container web").unwrap()["State"]["Status"], "running", "the rest is back");
}
