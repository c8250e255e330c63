//! Volumes that are gone: back byte for byte, with owners, modes and links.

use super::engine::Scene;

#[test]
fn a_removed_volume_is_back_byte_for_byte() {
    let Some(scene) = Scene::new() else { return };
    scene.filled_volume("docker", "pgdata");
    let before = scene.contents("docker", "pgdata");
    scene.agent("docker volume rm pgdata").ok();
    assert!(scene.inspect("volume pgdata").is_none());
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(scene.contents("docker", "pgdata"), before);
    assert_eq!(scene.inspect("volume pgdata").unwrap()["Labels"]["keep"], "yes");
    assert_eq!(scene.sh("docker ps -aq").stdout, "", "no container of ours is left");
    // Once more is harmless, and a redo takes it away again.
    assert_eq!(scene.env.fr(&["redo", "--yes"]).code, 0);
    assert!(scene.inspect("volume pgdata").is_none());
}

#[test]
fn volumes_come_back_where_there_is_no_image_at_all() {
    let Some(scene) = Scene::new() else { return };
    scene.filled_volume("docker", "pgdata");
    let before = scene.contents("docker", "pgdata");
    scene.sh("docker save base:1 -o ../base.tar && docker rmi -f base:1").ok();
    scene.agent("docker volume prune -af; docker volume rm -f pgdata").ok();
    assert!(scene.inspect("volume pgdata").is_none());
    let out = scene.undo();
    scene.sh("docker load -i ../base.tar").ok();
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(scene.contents("docker", "pgdata"), before);
}

#[test]
fn a_system_prune_with_volumes_takes_a_stopped_database_and_all_comes_back() {
    let Some(scene) = Scene::new() else { return };
    scene.sh("docker run -d --name web base:1 sleep 1000").ok();
    scene.filled_volume("docker", "pgdata");
    scene
        .sh("docker create --name db -v pgdata:/var/lib/pg -e PGPASSWORD=hush-hush --restart always base:1 sleep 1000")
        .ok();
    scene.sh("docker tag base:1 old:1").ok();
    let before = (scene.contents("docker", "pgdata"), scene.inspect("container db").unwrap());
    scene.agent("docker system prune -af --volumes").ok();
    assert!(scene.inspect("container db").is_none() && scene.inspect("volume pgdata").is_none());
    assert!(scene.inspect("container web").is_some());
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    let after = scene.inspect("container db").unwrap();
    assert_eq!(scene.contents("docker", "pgdata"), before.0);
    assert_eq!(after["HostConfig"], before.1["HostConfig"]);
    assert_eq!(after["Config"]["Env"], before.1["Config"]["Env"]);
    let told = format!("{out:?}{:?}", scene.env.fr(&["show", "1"]));
    assert!(!told.contains("hush-hush"), "{told}");
    let id = scene.env.fr(&["timeline", "--json", "-n", "2"]).json()[1]["id"].to_string();
    let diff = scene.env.fr(&["diff", &id]);
    assert!(!format!("{diff:?}").contains("hush-hush"));
    let journal = scene.sh("cat $FR_HOME/journal/* | strings").stdout;
    assert!(!journal.contains("hush-hush"));
}

#[test]
fn a_volume_that_somebody_made_anew_is_not_overwritten() {
    let Some(scene) = Scene::new() else { return };
    scene.filled_volume("docker", "pgdata");
    scene.agent("docker volume rm pgdata").ok();
    scene
        .sh("docker volume create pgdata && docker run --rm -v pgdata:/d base:1 sh -c 'echo mine >/d/new'")
        .ok();
    let mine = scene.contents("docker", "pgdata");
    let out = scene.undo();
    assert_eq!(out.code, 4, "{out:?}");
    assert_eq!(scene.contents("docker", "pgdata"), mine);
}

#[test]
fn a_removal_that_fails_is_seen_to_have_changed_nothing() {
    let Some(scene) = Scene::new() else { return };
    scene.filled_volume("docker", "pgdata");
    scene.sh("docker create --name db -v pgdata:/d base:1").ok();
    let before = scene.contents("docker", "pgdata");
    assert_ne!(scene.agent("docker volume rm pgdata").code, 0);
    let out = scene.undo();
    assert!(out.code == 0 || out.code == 5, "{out:?}");
    assert_eq!(scene.contents("docker", "pgdata"), before);
}

/// Several commands of one session as one, and forward again.
#[test]
fn a_session_on_files_and_volumes_is_taken_back_as_one() {
    let Some(scene) = Scene::new() else { return };
    scene.filled_volume("docker", "NS-data");
    scene.filled_volume("docker", "NS-more");
    let look = || (scene.contents("docker", "NS-data"), scene.contents("docker", "NS-more"));
    let before = look();
    scene.env.write("docs/a.txt", "a");
    scene.agent("docker volume rm NS-data").ok();
    scene.agent("rm -rf docs").ok();
    scene.agent("docker volume rm NS-more").ok();
    let undo = scene.env.fr(&["undo", "--session", "--yes"]);
    assert_eq!((undo.code, scene.env.read("docs/a.txt")), (0, "a".into()), "{undo:?}");
    assert_eq!(look(), before, "{undo:?}");
    let redo = scene.env.fr(&["redo", "--yes"]);
    assert_eq!(redo.code, 0, "{redo:?}");
    assert!(scene.inspect("volume NS-data").is_none() && !scene.env.exists("docs"), "{redo:?}");
}

/// A container that runs one command and goes leaves nothing of itself, and an empty volume.
#[test]
fn what_a_container_of_a_moment_removes_from_a_volume_is_back() {
    let Some(scene) = Scene::new() else { return };
    scene.filled_volume("docker", "pgdata");
    let before = scene.contents("docker", "pgdata");
    for line in [
        "docker run --rm --network host -v pgdata:/d base:1 sh -c 'rm -rf /d/*'",
        "docker run --rm --network host --mount type=volume,source=pgdata,target=/d base:1 rm -rf /d",
    ] {
        // The second fails: what a volume is mounted on cannot be removed, what is in it can.
        scene.agent(line);
        let after = scene.contents("docker", "pgdata");
        assert_ne!(after, before, "{line}");
        let undo = scene.undo();
        assert_eq!((undo.code, scene.contents("docker", "pgdata")), (0, before.clone()), "{line}: {undo:?}");
        let redo = scene.env.fr(&["redo", "--yes"]);
        assert_eq!((redo.code, scene.contents("docker", "pgdata")), (0, after), "{line}: {redo:?}");
        let undo = scene.undo();
        assert_eq!((undo.code, scene.contents("docker", "pgdata")), (0, before.clone()), "{line}: {undo:?}");
    }
}

/// A log in a volume is read while it grows, as after a power cut: whole lines from the first one on, the last perhaps cut off.
#[track_caller]
fn is_a_beginning(log: &str) {
    let (whole, last) = log.rsplit_once('\n').unwrap_or(("", log));
    assert!(whole.lines().count() > 0, "nothing came back: {log:?}");
    for (at, line) in whole.lines().enumerate() {
        assert_eq!(line, format!("line {}", at + 1));
    }
    assert!(format!("line {}", whole.lines().count() + 1).starts_with(last), "{last:?}");
}

/// The database runs and writes while its volume is taken: the engine refuses that at first, so it is killed.
#[test]
fn a_volume_that_is_written_all_the_time_comes_back_as_it_was_read() {
    let Some(scene) = Scene::new() else { return };
    let file = "version: '2.4'\nservices:\n  db:\n    image: base:1\n    command: sleep 1000\n    network_mode: none\n    volumes: ['data:/data']\nvolumes:\n  data: {}\n";
    scene.env.write("docker-compose.yml", file);
    let writes = |name: &str| {
        let begin = format!(
            "docker exec {name} sh -c 'echo rows >/data/t' && docker exec -d {name} sh -c \
             'i=0; while true; do i=$((i+1)); echo line $i >>/data/log; done' && while ! docker exec {name} ls /data/log; do sleep 0.1; done"
        );
        scene.sh(&begin).ok();
    };
    let is_back = |name: &str, line: &str| {
        let out = scene.undo();
        assert_eq!(out.code, 0, "{line}: {out:?}");
        assert_eq!(scene.sh(&format!("docker exec {name} cat /data/t")).ok().stdout, "rows\n", "{line}");
        is_a_beginning(&scene.sh(&format!("docker exec {name} cat /data/log")).ok().stdout);
    };
    scene.sh("docker run -d --network none --name NS-db -v NS-data:/data base:1 sleep 1000").ok();
    writes("NS-db");
    // Refused: whatever was written meanwhile, nothing is replaced.
    assert_ne!(scene.agent("docker volume rm NS-data").code, 0);
    let out = scene.undo();
    assert_ne!(out.code, 0, "nothing was lost, so nothing is undone: {out:?}");
    assert_eq!(scene.inspect("container NS-db").unwrap()["State"]["Running"], true, "{out:?}");
    assert_eq!(scene.sh("docker exec NS-db cat /data/t").ok().stdout, "rows\n");
    let line = "docker rm -f NS-db && docker volume rm NS-data";
    scene.agent(line).ok();
    assert!(scene.inspect("volume NS-data").is_none());
    is_back("NS-db", line);
    if scene.sh("docker-compose version").code != 0 {
        assert!(std::env::var("CI").is_err(), "tests/testbed/docker setup installs docker-compose");
        return;
    }
    scene.sh("docker-compose -p NS up -d").ok();
    writes("NS_db_1");
    let line = "docker-compose -p NS down -v -t 0";
    scene.agent(line).ok();
    assert!(scene.inspect("volume NS_data").is_none());
    is_back("NS_db_1", line);
}
