//! Containers, their images and networks.

use super::engine::Scene;

#[test]
fn a_removed_database_container_runs_again_with_its_settings_and_what_it_wrote() {
    let Some(scene) = Scene::new() else { return };
    scene.filled_volume("docker", "pgdata");
    scene
        .sh("docker run -d --name db --hostname db1 -v pgdata:/pg -v /cache --memory 64m --cap-drop ALL \
             -e PASSWORD=hush-hush -l tier=1 --network host base:1 \
             sh -c 'mkdir /srv; echo state >/srv/x; echo c >/cache/c; exec sleep 1000'")
        .ok();
    let before = scene.inspect("container db").unwrap();
    let volume = scene.contents("docker", "pgdata");
    scene.sh("while ! docker exec db cat /cache/c; do sleep 0.1; done").ok();
    scene.agent("docker rm -fv db").ok();
    assert!(scene.inspect("container db").is_none());
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    let after = scene.inspect("container db").unwrap();
    for same in ["Hostname", "Env", "Cmd", "Labels", "Entrypoint"] {
        assert_eq!(after["Config"][same], before["Config"][same], "{same}");
    }
    let host = |of: &serde_json::Value| {
        let mut host = of["HostConfig"].clone();
        host["Binds"] = serde_json::Value::Null;
        host
    };
    assert_eq!(host(&after), host(&before));
    assert_ne!(after["Id"], before["Id"]);
    assert_eq!(after["State"]["Running"], true);
    assert_eq!(scene.sh("docker exec db cat /srv/x /cache/c").ok().stdout, "state\nc\n");
    assert_eq!(scene.contents("docker", "pgdata"), volume, "a named volume was never touched");
}

#[test]
fn what_is_stopped_runs_again_and_what_is_renamed_gets_its_name_back() {
    let Some(scene) = Scene::new() else { return };
    scene.sh("docker run -d --name web --memory 64m base:1 sleep 1000").ok();
    let id = scene.inspect("container web").unwrap()["Id"].clone();
    for line in ["docker kill web", "docker stop -t 0 web", "docker pause web"] {
        scene.agent(line).ok();
        let out = scene.undo();
        assert_eq!(out.code, 0, "{line}: {out:?}");
        let now = scene.inspect("container web").unwrap();
        assert_eq!((&now["State"]["Status"], &now["Id"]), (&"running".into(), &id), "{line}");
    }
    // This engine has no bridge, and forgets the sandbox of what was started twice: another container is renamed.
    scene.sh("docker rm -f web; docker run -d --name web --network none --memory 64m base:1 sleep 1000").ok();
    let id = scene.inspect("container web").unwrap()["Id"].clone();
    scene.agent("docker rename web old-web").ok();
    assert!(scene.inspect("container web").is_none());
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(scene.inspect("container web").unwrap()["Id"], id);
    assert!(scene.inspect("container old-web").is_none());
    scene.agent("docker update --memory 128m --memory-swap 256m web").ok();
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(scene.inspect("container web").unwrap()["HostConfig"]["Memory"], 64 << 20);
}

#[test]
fn what_a_command_made_goes_and_what_others_made_stays() {
    let Some(scene) = Scene::new() else { return };
    scene.agent("docker run -d --name web base:1 sleep 1000").ok();
    scene.sh("docker run -d --name other base:1 sleep 1000").ok();
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    assert!(scene.inspect("container web").is_none() && scene.inspect("container other").is_some());
    scene.agent("docker volume create made").ok();
    scene.sh("docker run --rm -v made:/d base:1 touch /d/mine").ok();
    assert_eq!(scene.undo().code, 4, "somebody has written into it");
    assert!(scene.inspect("volume made").is_some());
}

#[test]
fn a_network_comes_back_with_its_settings() {
    let Some(scene) = Scene::new() else { return };
    scene.sh("docker network create --internal --subnet 10.77.0.0/24 --label tier=back -o com.docker.network.bridge.name=frt0 back").ok();
    let before = scene.inspect("network back").unwrap();
    scene.agent("docker network rm back").ok();
    assert!(scene.inspect("network back").is_none());
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    let after = scene.inspect("network back").unwrap();
    for same in ["Driver", "Internal", "IPAM", "Options", "Labels"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    scene.agent("docker network prune -f").ok();
    assert!(scene.inspect("network back").is_none());
    assert_eq!(scene.undo().code, 0);
    assert!(scene.inspect("network back").is_some());
}

#[test]
fn an_image_without_a_registry_comes_back_under_the_same_id_and_a_moved_tag_moves_back() {
    let Some(scene) = Scene::new() else { return };
    scene
        .sh("docker run --name made base:1 sh -c 'echo x >/x' && docker commit made app:1 && docker rm made")
        .ok();
    let id = scene.inspect("image app:1").unwrap()["Id"].clone();
    scene.agent("docker rmi app:1").ok();
    assert!(scene.inspect("image app:1").is_none());
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(scene.inspect("image app:1").unwrap()["Id"], id);
    scene.agent("docker tag base:1 app:1").ok();
    assert_ne!(scene.inspect("image app:1").unwrap()["Id"], id);
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(scene.inspect("image app:1").unwrap()["Id"], id);
    scene.sh("docker rmi app:1").ok();
}

#[test]
fn a_file_that_is_copied_over_another_in_a_container_is_back() {
    let Some(scene) = Scene::new() else { return };
    scene.sh("docker run -d --name web base:1 sh -c 'echo old >/etc/app.conf; exec sleep 1000'").ok();
    scene.sh("while ! docker exec web cat /etc/app.conf; do sleep 0.1; done").ok();
    scene.env.write("app.conf", "new\n");
    scene.agent("docker cp app.conf web:/etc/app.conf").ok();
    assert_eq!(scene.sh("docker exec web cat /etc/app.conf").stdout, "new\n");
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(scene.sh("docker exec web cat /etc/app.conf").stdout, "old\n");
    // A directory is copied into one that is there: what it adds goes again, and what it overwrites is back.
    scene.sh("docker exec web sh -c 'mkdir -p /srv/d/in; echo old >/srv/d/a; ln -s a /srv/d/l'").ok();
    let look = "docker exec web sh -c 'cd /srv && find . | sort; cat d/a'";
    let look = if scene.sh(look).code == 0 {
        look
    } else {
        "docker exec web sh -c 'cd /srv && ls -laR . | cut -c1-10,55-; cat d/a'"
    };
    let before = scene.sh(look).ok().stdout;
    scene.env.write("d/a", "new\n");
    scene.env.write("d/in/more", "more\n");
    scene.env.write("d/n/more", "more\n");
    scene.agent("docker cp d/. web:/srv/d").ok();
    assert_ne!(scene.sh(look).ok().stdout, before);
    let out = scene.undo();
    assert_eq!((out.code, scene.sh(look).ok().stdout), (0, before), "{out:?}");
    scene.agent("docker cp app.conf web:/etc/made.conf").ok();
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    assert_ne!(scene.sh("docker exec web ls /etc/made.conf").code, 0);
}

#[test]
fn a_compose_project_that_is_taken_down_with_its_volumes_comes_back() {
    let Some(scene) = Scene::new() else { return };
    // There is no compose plugin here: what it makes is made with its labels, and `down -v` is done by hand.
    let label = "--label com.docker.compose.project=shop";
    scene.sh(&format!("docker volume create {label} shop_data")).ok();
    scene
        .sh(&format!(
            "docker run -d --name shop-db-1 {label} --label com.docker.compose.service=db -v shop_data:/d base:1 \
             sh -c 'echo row >/d/rows; exec sleep 1000'"
        ))
        .ok();
    scene.sh("while ! docker exec shop-db-1 cat /d/rows; do sleep 0.1; done").ok();
    let before = scene.contents("docker", "shop_data");
    scene.env.write("compose.yaml", "name: shop\nservices:\n  db: {image: base:1}\n");
    let call = scene.env.claude_pre("docker compose down -v");
    scene.sh("docker rm -f shop-db-1; docker volume rm shop_data").ok();
    scene.env.claude_post(&call);
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(scene.contents("docker", "shop_data"), before);
    assert_eq!(scene.inspect("container shop-db-1").unwrap()["State"]["Running"], true);
}

#[test]
fn what_is_removed_inside_of_a_container_is_copied_out_of_it_before() {
    let Some(scene) = Scene::new() else { return };
    scene.filled_volume("docker", "pgdata");
    let volume = scene.contents("docker", "pgdata");
    scene
        .sh("docker run -d --name db --network none -v pgdata:/pg base:1 sh -c 'mkdir -p /data/in; echo row >/data/in/row; exec sleep 1000'")
        .ok();
    scene.sh("while ! docker exec db cat /data/in/row; do sleep 0.1; done").ok();
    for line in [
        "docker exec db rm -rf /data /pg/pg/base",
        "docker exec db sh -c 'rm -rf /data/* /pg/pg/base'",
        "docker container exec db rm -r /data/in",
    ] {
        scene.agent(line).ok();
        assert_ne!(scene.sh("docker exec db cat /data/in/row").code, 0, "{line}");
        let event = scene.event();
        assert_eq!(event["class"], "opaque", "what else it does is not known: {event:#}");
        let out = scene.undo();
        assert_eq!(out.code, 0, "{line}: {out:?}");
        assert_eq!(scene.sh("docker exec db cat /data/in/row").stdout, "row\n", "{line}: {out:?}");
        assert_eq!(scene.contents("docker", "pgdata"), volume, "{line}: {out:?}");
    }
}
