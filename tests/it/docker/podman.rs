//! podman, by the same code.

use super::engine::Scene;

fn scene() -> Option<Scene> {
    let scene = Scene::new()?;
    if scene.sh("podman image exists localhost/base:1").code != 0 {
        eprintln!("skipped: podman does not work here: {:?}", scene.sh("podman info"));
        return None;
    }
    Some(scene)
}

#[test]
fn a_removed_podman_volume_is_back_byte_for_byte() {
    let Some(scene) = scene() else { return };
    for line in ["podman volume rm pgdata", "podman volume prune -f"] {
        scene.filled_volume("podman", "pgdata");
        let before = scene.contents("podman", "pgdata");
        scene.agent(line).ok();
        assert_ne!(scene.sh("podman volume exists pgdata").code, 0, "{line}");
        let out = scene.undo();
        assert_eq!(out.code, 0, "{line}: {out:?}");
        assert_eq!(scene.contents("podman", "pgdata"), before, "{line}");
        scene.sh("podman volume rm pgdata").ok();
    }
}

#[test]
fn a_removed_podman_container_is_made_by_its_own_command_line() {
    let Some(scene) = scene() else { return };
    scene.filled_volume("podman", "pgdata");
    scene
        .sh("SECRET=hush-hush podman create --name db -v pgdata:/pg -e SECRET -l tier=1 base:1 sleep 1000")
        .ok();
    let look = "podman inspect -f '{{range .Config.Env}}{{println .}}{{end}}' db | sort; podman inspect -f '{{.Config.Labels}} {{.Config.Cmd}} {{range .Mounts}}{{.Name}}:{{.Destination}}{{end}}' db";
    let before = scene.sh(look).ok().stdout;
    scene.agent("podman rm -f db").ok();
    assert_ne!(scene.sh("podman container exists db").code, 0);
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(scene.sh(look).ok().stdout, before);
    assert!(!format!("{out:?}").contains("hush-hush"));
    scene.sh("podman rm -f db; podman volume rm pgdata").ok();
}
