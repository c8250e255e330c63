//! How a terraform command is seen: on a line, in a script, with words that nobody sees; and what looks alike and is
//! harmless.

use std::time::Instant;

use super::backends::Backend;
use super::scene::{Scene, terraform};
use crate::env::TestEnv;

on_each!([local http] (in_a_script_through_shims secrets_of_the_line));
on_each!(others [s3] (by_make_through_shims words_in_the_environment));

impl Scene {
    /// The recorder's shims are first on PATH from now on.
    fn shims(&mut self) {
        self.env.fr(&["shims", "enable"]).ok();
        let path = format!("{}:{}", self.env.fr_home.join("shims").display(), self.env.path());
        self.env.vars.push(("PATH".to_owned(), path));
    }
}

/// The line says nothing of terraform; the command is recorded as it is executed, with all that undo needs.
fn in_a_script_through_shims(mut scene: Scene) {
    scene.shims();
    scene.env.write("teardown.sh", "#!/bin/bash\ncd infra\nterraform destroy -auto-approve\n");
    let destroyed_state = destroyed_by(&scene, "bash teardown.sh");
    let undone = scene.undo(&[]);
    assert_eq!(undone.code, 3, "{undone:?}");
    assert_eq!(
        scene.state()["resources"],
        destroyed_state["resources"],
        "no state claims what is gone: {undone:?}"
    );
    assert!(undone.stdout.contains("terraform_data.web (id "), "{undone:?}");
}

fn by_make_through_shims(mut scene: Scene) {
    scene.shims();
    scene.env.write(
        "Makefile",
        "teardown:\n\tterraform -chdir=infra state rm terraform_data.web\n\techo done > done\n",
    );
    let before = scene.says();
    scene.agent("make teardown").ok();
    let undone = scene.undo(&[]);
    assert_eq!(undone.code, 0, "{undone:?}");
    assert_eq!(scene.says(), before, "{undone:?}");
    assert!(!scene.env.exists("done"), "the rest of the work tree too: {undone:?}");
}

fn destroyed_by(scene: &Scene, line: &str) -> serde_json::Value {
    scene.agent(line).ok();
    assert_eq!(scene.real(), [""; 0]);
    scene.state()
}

/// `-destroy` comes from a variable, and what is applied looks like any other plan.
fn words_in_the_environment(scene: Scene) {
    scene.agent("TF_CLI_ARGS_apply=-destroy terraform -chdir=infra apply -auto-approve").ok();
    assert_eq!(scene.real(), [""; 0]);
    let shown = scene.env.fr(&["timeline", "--limit", "1", "--json"]).ok().json();
    assert_eq!(shown[0]["class"], "destroy", "{shown:#}");
    let made = scene.undo(&["--apply-infra"]);
    assert_eq!(scene.real(), ["disk-a-small", "disk-b-small", "web"], "{made:?}");
    scene.tf("plan -destroy -out=saved").ok();
    scene.agent("terraform -chdir=infra apply saved").ok();
    assert_eq!(scene.real(), [""; 0], "a saved plan asks nothing");
    let made = scene.undo(&["--apply-infra"]);
    assert_eq!(scene.real(), ["disk-a-small", "disk-b-small", "web"], "{made:?}");
}

/// What was set on the line makes the same things again, and is in no record that can be read.
fn secrets_of_the_line(scene: Scene) {
    scene.tf("destroy -auto-approve").ok();
    scene.tf("apply -auto-approve -var size=large").ok();
    let real = scene.real();
    scene.agent("TF_VAR_size=large TF_HTTP_PASSWORD=tf-secret-in-state terraform -chdir=infra destroy -auto-approve").ok();
    let event = scene.event();
    let stored = scene.env.sh("grep -rl tf-secret-in-state $FR_HOME").stdout;
    assert_eq!(stored, "");
    let made = scene.env.fr(&["undo", &event, "--yes", "--apply-infra"]);
    assert_eq!(scene.real(), real, "{made:?}");
}

/// None of these starts a terraform: a program of that name that fails is not noticed.
#[test]
fn look_alikes_start_nothing() {
    let mut env = TestEnv::new();
    let bin = env.root().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let trap = format!("#!/bin/sh\ntouch {}/started\n", env.root().display());
    std::fs::write(bin.join("terraform"), trap).unwrap();
    std::fs::set_permissions(bin.join("terraform"), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    env.vars.push(("PATH".to_owned(), format!("{}:{}", bin.display(), env.path())));
    env.write(
        ".terraform/terraform.tfstate",
        "{\"version\": 3, \"backend\": {\"type\": \"http\", \"config\": {}}}",
    );
    for line in [
        "terraform plan -destroy",
        "terraform destroy -help",
        "terraform destroy --help",
        "terraform apply -h",
        "terraform validate",
        "terraform show -json plan",
        "terraform state list",
        "terraform state pull",
        "terraform state show a.b",
        "terraform state rm -dry-run a.b",
        "terraform output -json",
        "terraform workspace list",
        "terraform providers schema -json",
        "terraform console",
        "terraform test -help",
        "terraform stacks validate",
        "terraform -version",
        "terraform",
    ] {
        let call = env.claude_pre(line);
        assert_eq!((call.answer.code, call.answer.stderr.as_str()), (0, ""), "{line}");
        let event = &env.fr(&["timeline", "--limit", "1", "--json"]).ok().json()[0];
        assert_eq!(event["class"], "none", "{line}: {event:#}");
        assert!(!env.root().join("started").exists(), "{line} started terraform");
    }
    env.claude_pre("terraform destroy");
    assert!(env.root().join("started").exists(), "the trap works: a destroy looks at the state");
}

/// A server that does not answer holds the command up for the set time, not for ever, and the record says what is missing.
#[test]
fn a_slow_backend_is_not_waited_for() {
    if terraform().is_none() {
        return;
    }
    let scene = Scene::on(Backend::http_after(0));
    let slow = Backend::http_after(30);
    let config = scene.root.join(".terraform/terraform.tfstate");
    let port = |backend: &Backend| backend.port().to_string();
    for file in [scene.root.join("main.tf"), config] {
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace(&port(scene.backend()), &port(&slow))).unwrap();
    }
    scene.agent("true").ok();
    std::fs::write(scene.env.fr_home.join("config.toml"), "[caps]\nbackend_seconds = 2\n").unwrap();
    let started = Instant::now();
    let call = scene.env.claude_pre("terraform -chdir=infra destroy -auto-approve");
    assert_eq!(call.answer.code, 0, "{call:?}");
    assert!(started.elapsed().as_secs() < 15, "{:?}", started.elapsed());
    let event = scene.env.fr(&["show", "2"]).ok().stdout;
    assert!(event.contains("terraform did not end within 2 s"), "{event}");
}
