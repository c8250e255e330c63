//! Networks of containers, compose projects, swarms, pods.

use serde_json::Value;

use super::engine::Scene;

fn on_networks(scene: &Scene, name: &str) -> Value {
    let all = scene.inspect(&format!("container {name}")).unwrap()["NetworkSettings"]["Networks"].clone();
    let id = scene.inspect(&format!("container {name}")).unwrap()["Id"].as_str().unwrap()[..12].to_owned();
    let mut out = serde_json::Map::new();
    for (net, how) in all.as_object().unwrap() {
        let mut names: Vec<&str> =
            how["Aliases"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        names.retain(|alias| *alias != id);
        out.insert(net.clone(), serde_json::json!([names, how["IPAMConfig"]["IPv4Address"]]));
    }
    out.into()
}

#[test]
fn a_container_is_on_its_networks_again_with_its_names_and_addresses() {
    let Some(scene) = Scene::new() else { return };
    scene
        .sh("docker network create --subnet 10.91.0.0/24 front && docker network create --subnet 10.92.0.0/24 back && \
             docker create --name db --network front --network-alias sql --ip 10.91.0.7 --restart always \
             --health-cmd true --health-interval 9s base:1 sleep 1000 && \
             docker network connect --alias store --ip 10.92.0.8 back db")
        .ok();
    let before = on_networks(&scene, "db");
    assert_eq!(before.as_object().unwrap().len(), 2, "{before}");
    let health = scene.inspect("container db").unwrap()["Config"]["Healthcheck"].clone();
    for line in [
        "docker network disconnect back db",
        "docker network disconnect front db && docker network connect --ip 10.91.0.9 front db",
        "docker rm -f db",
    ] {
        scene.agent(line).ok();
        let out = scene.undo();
        assert_eq!(out.code, 0, "{line}: {out:?}");
        assert_eq!(on_networks(&scene, "db"), before, "{line}");
    }
    let now = scene.inspect("container db").unwrap();
    assert_eq!(now["Config"]["Healthcheck"], health);
    assert_eq!(now["HostConfig"]["RestartPolicy"]["Name"], "always");
}

#[test]
fn a_real_compose_project_that_is_taken_down_with_its_volumes_is_back() {
    let Some(scene) = Scene::new() else { return };
    if scene.sh("docker-compose version").code != 0 {
        assert!(std::env::var("CI").is_err(), "tests/testbed/docker setup installs docker-compose");
        return;
    }
    let file = "version: '2.4'\nservices:\n  db:\n    image: base:1\n    command: sh -c '[ -e /data/t ] || echo rows >/data/t; exec sleep 1000'\n    \
                network_mode: none\n    volumes: ['data:/data']\n    environment: {PASSWORD: hush-hush}\nvolumes:\n  data: {}\n";
    scene.env.write("docker-compose.yml", file);
    scene
        .sh("docker-compose -p shop up -d && while ! docker exec shop_db_1 cat /data/t; do sleep 0.1; done")
        .ok();
    scene.agent("docker-compose -p shop down -v").ok();
    assert!(scene.inspect("volume shop_data").is_none() && scene.inspect("container shop_db_1").is_none());
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    assert!(scene.contents("docker", "shop_data").contains("./t f"));
    let up = scene.sh("docker-compose -p shop ps -q | wc -l").ok().stdout;
    assert_eq!(up.trim(), "1", "compose itself knows it again");
}

#[test]
fn services_and_configurations_of_a_swarm_come_back_and_secrets_do_not() {
    let Some(scene) = Scene::new() else { return };
    scene.sh("docker swarm init --advertise-addr 127.0.0.1").ok();
    scene
        .sh("echo one | docker config create conf -; echo hush | docker secret create pass -; \
             docker service create -d --name web --replicas 0 --config conf --secret pass -e A=b -l tier=1 base:1 sleep 9")
        .ok();
    let spec = |scene: &Scene, what: &str| scene.inspect(what).map(|one| one["Spec"].clone());
    let web = spec(&scene, "service web").unwrap();
    for line in ["docker service scale -d web=2", "docker service update -d --env-rm A web"] {
        scene.agent(line).ok();
        assert_ne!(spec(&scene, "service web").unwrap(), web, "{line}");
        let out = scene.undo();
        assert_eq!(out.code, 0, "{line}: {out:?}");
        assert_eq!(spec(&scene, "service web").unwrap(), web, "{line}");
    }
    let conf = spec(&scene, "config conf");
    scene.agent("docker service rm web && docker config rm conf && docker secret rm pass").ok();
    let out = scene.undo();
    assert_eq!(out.code, 3, "{out:?}");
    assert!(format!("{out:?}").contains("docker secret create"), "{out:?}");
    assert_eq!(spec(&scene, "config conf"), conf);
    assert!(!format!("{out:?}").contains("hush"));
    scene.sh("docker swarm leave --force").ok();
}

#[test]
fn a_removed_pod_is_made_by_its_own_command_line() {
    let Some(scene) = Scene::new() else { return };
    // A pod needs an image of its own that only a registry has, unless it is told which.
    let made = scene.sh("podman pod create --name shop --infra=false -l tier=1 && podman create --pod shop --name shop-db base:1 sleep 1000");
    if made.code != 0 {
        eprintln!("skipped: no pods here: {}", made.stderr);
        return;
    }
    scene.agent("podman pod rm -f shop").ok();
    let out = scene.undo();
    assert!(matches!(out.code, 0 | 3), "{out:?}");
    assert_eq!(scene.sh("podman pod inspect -f '{{.Labels.tier}}' shop").ok().stdout.trim(), "1");
    scene.sh("podman container exists shop-db").ok();
    scene.sh("podman pod rm -f shop").ok();
}
