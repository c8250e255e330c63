//! Commands that change the state and nothing else: it comes back as it was, whatever its serial.

use std::io::Read;
use std::process::Stdio;

use super::backends::Backend;
use super::scene::{Apply, Scene};

on_each!([local http pg s3 kubernetes] (removed_from_the_state somebody_applied_since a_lock_is_held a_broken_lock_stays_broken));
// Which words the command had, and how its lock is waited for, is no matter of the backend; two of them each.
on_each!(others [local pg] (moved_and_tainted pushed_over applied_while_we_wait two_at_once));

fn removed_from_the_state(scene: Scene) {
    let before = scene.says();
    scene.agent("terraform -chdir=infra state rm terraform_data.web 'terraform_data.disk[\"b\"]'").ok();
    assert_eq!(scene.listed(), ["terraform_data.disk[\"a\"]"]);
    let plan = scene.env.fr(&["undo", &scene.event(), "--dry-run"]).ok();
    assert!(plan.stdout.contains("push the old state (serial"), "{plan:?}");
    let undone = scene.undo(&[]).ok();
    assert!(undone.stdout.contains("is undone and verified"), "{undone:?}");
    assert_eq!(scene.says(), before);
    assert_eq!(scene.real().len(), 3, "nothing real was touched");
    assert_eq!(scene.tf("plan -detailed-exitcode").code, 0, "terraform sees no difference");
    scene.keeps_secrets();
    let again = scene.env.fr(&["redo", "--yes"]).ok();
    assert_eq!(scene.listed(), ["terraform_data.disk[\"a\"]"], "{again:?}");
}

fn moved_and_tainted(scene: Scene) {
    let before = scene.says();
    scene.agent("cd infra && terraform state mv terraform_data.web terraform_data.shop && terraform taint terraform_data.shop");
    assert_ne!(scene.says(), before);
    scene.undo(&[]).ok();
    assert_eq!(scene.says(), before);
}

fn pushed_over(scene: Scene) {
    let before = scene.says();
    let other =
        before.to_string().replace("web on", "another web on").replace("{\"check", "{\"serial\":99,\"check");
    scene.env.write("infra/other.tfstate", other);
    scene.agent("cd infra && terraform state push -force other.tfstate").ok();
    assert_ne!(scene.says(), before);
    scene.undo(&[]).ok();
    assert_eq!(scene.says(), before);
}

fn somebody_applied_since(scene: Scene) {
    scene.agent("terraform -chdir=infra state rm terraform_data.web").ok();
    let left = scene.state()["serial"].clone();
    scene.tf("taint 'terraform_data.disk[\"a\"]'").ok();
    let now = scene.state();
    let undone = scene.undo(&[]);
    assert_eq!(undone.code, 4, "{undone:?}");
    let says = format!("the state is at serial {} now, the command left serial {left}", now["serial"]);
    assert!(undone.stderr.contains(&says), "{says}: {undone:?}");
    assert_eq!(scene.state(), now, "nothing was written");
    scene.undo(&["--on-conflict", "force"]).ok();
    assert_eq!(scene.listed().len(), 3);
    scene.env.fr(&["redo", "--yes"]).ok();
    assert_eq!(scene.says()["resources"], now["resources"], "what was written over came back");
}

/// A colleague's apply is waiting to be approved. Undo waits a while, then says who holds the lock, and writes nothing.
fn a_lock_is_held(scene: Scene) {
    scene.agent("terraform -chdir=infra state rm terraform_data.web").ok();
    let now = scene.state();
    let apply = Apply::waiting(&scene);
    let undone = scene.undo(&[]);
    assert_eq!(undone.code, 3, "{undone:?}");
    assert!(undone.stdout.contains("somebody holds the lock on the state ("), "{undone:?}");
    let told = ["operation OperationTypeApply", "(id ", "already locked"]
        .iter()
        .any(|told| undone.stdout.contains(told));
    assert!(told, "it says who, or which lock: {undone:?}");
    assert_eq!(scene.state(), now);
    apply.answer("no");
    scene.env.fr(&["undo", "1", "--yes"]).ok();
    assert_eq!(scene.listed().len(), 3);
}

/// They approve while undo waits for the lock: then the state is another one, and a push that was prepared before would
/// write over their work.
fn applied_while_we_wait(scene: Scene) {
    scene.agent("terraform -chdir=infra state rm terraform_data.web").ok();
    let apply = Apply::waiting(&scene);
    let approve = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(1500));
        apply.answer("yes");
    });
    let undone = scene.undo(&[]);
    approve.join().unwrap();
    assert_eq!(undone.code, 3, "{undone:?}");
    assert!(undone.stdout.contains("the plan was made over serial"), "{undone:?}");
    assert!(scene.listed().contains(&"terraform_data.web".to_owned()), "theirs, made again");
    assert_eq!(scene.listed().len(), 3);
}

fn two_at_once(scene: Scene) {
    let before = scene.says();
    scene.agent("terraform -chdir=infra state rm terraform_data.web").ok();
    scene.agent("terraform -chdir=infra taint 'terraform_data.disk[\"a\"]'").ok();
    scene.env.fr(&["undo", "--last", "2", "--yes"]).ok();
    assert_eq!(scene.says(), before);
}

/// A part of the line only forgets, another destroys: neither is taken for the other.
#[test]
fn forgotten_and_destroyed_in_one_line() {
    if super::terraform().is_none() {
        return;
    }
    let scene = Scene::on(super::backends::Backend::Local);
    scene.agent("cd infra && terraform state rm terraform_data.web && terraform destroy -auto-approve").ok();
    assert_eq!(scene.real(), ["web"]);
    let undone = scene.undo(&["--apply-infra"]);
    assert_eq!(undone.code, 3, "{undone:?}");
    assert!(undone.stdout.contains("terraform_data.web were taken out of the state by name"), "{undone:?}");
    assert_eq!(scene.listed(), ["terraform_data.disk[\"a\"]", "terraform_data.disk[\"b\"]"], "no second web");
}

/// The variables and flags that choose another state are followed, and the one that is not meant stays as it is.
#[test]
fn another_state_is_chosen_by_words_and_variables() {
    if super::terraform().is_none() {
        return;
    }
    let scene = Scene::on(super::backends::Backend::Local);
    scene.env.sh("cd infra && cp terraform.tfstate other.tfstate && TF_WORKSPACE=staging terraform state push other.tfstate").ok();
    let default = scene.says();
    let staging = || scene.env.sh("cd infra && TF_WORKSPACE=staging terraform state list").ok().stdout;
    let all = staging();
    scene.agent("export TF_WORKSPACE=staging; cd infra && terraform state rm terraform_data.web").ok();
    assert_ne!(staging(), all);
    let undone = scene.undo(&[]);
    assert_eq!(undone.code, 0, "{undone:?}");
    assert_eq!((staging(), scene.says()), (all, default.clone()));
    let other = scene.env.read("infra/other.tfstate");
    scene.agent("terraform -chdir=infra state rm -state=other.tfstate terraform_data.web").ok();
    assert_ne!(scene.env.read("infra/other.tfstate"), other);
    // Somebody's terraform holds the file, as terraform does it.
    let hold = "import fcntl, sys\nf = open('infra/other.tfstate', 'r+')\nfcntl.lockf(f, fcntl.LOCK_EX)\nprint(flush=True)\nsys.stdin.read()";
    let mut holder = scene.env.command("python3");
    let mut holder = holder.args(["-c", hold]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let _ready = holder.stdout.as_mut().unwrap().read(&mut [0]).unwrap();
    let (held, event) = (scene.env.read("infra/other.tfstate"), scene.event());
    let undone = scene.undo(&[]);
    assert_eq!(undone.code, 3, "{undone:?}");
    assert!(undone.stdout.contains("somebody holds the lock on the state"), "{undone:?}");
    assert_eq!(scene.env.read("infra/other.tfstate"), held);
    drop(holder.stdin.take());
    holder.wait().unwrap();
    let undone = scene.env.fr(&["undo", &event, "--yes"]);
    assert_eq!(undone.code, 0, "{undone:?}");
    let text = |text: String| serde_json::from_str::<serde_json::Value>(&text).unwrap()["resources"].clone();
    assert_eq!(text(scene.env.read("infra/other.tfstate")), text(other));
    assert_eq!(scene.says(), default);
}

/// A lock that is broken cannot be handed back. A file's lock terraform does not break, and one of PostgreSQL's sessions it only says
/// to have broken; there, too, nothing is said to have been taken back, and nothing is written.
fn a_broken_lock_stays_broken(scene: Scene) {
    scene.tf("taint terraform_data.web").ok();
    let before = scene.says();
    let apply = Apply::waiting(&scene);
    let held = scene.tf("untaint -no-color terraform_data.web");
    assert_ne!(held.code, 0, "{held:?}");
    let id = held.stderr.lines().find_map(|line| line.trim().strip_prefix("ID:")).unwrap_or("none").trim();
    let broken = scene.agent(&format!("terraform -chdir=infra force-unlock -force {id}"));
    let event = scene.event();
    let shown = scene.env.fr(&["show", &event, "--json"]).ok().json();
    assert_eq!(shown["class"], "weaken", "{shown:#}");
    let again = scene.tf("untaint -no-color terraform_data.web");
    let is_broken = matches!(scene.backend(), Backend::Http(_) | Backend::S3(_) | Backend::Kubernetes(_));
    assert_eq!(again.code == 0, is_broken, "{broken:?} {again:?}");
    let left = scene.says();
    let undone = scene.env.fr(&["undo", &event, "--yes"]);
    assert_eq!(undone.code, 5, "{undone:?}");
    assert!(undone.stdout.contains("a lock that was broken cannot be handed back"), "{undone:?}");
    assert_eq!(scene.says(), left, "nothing was written");
    assert_eq!(left == before, !is_broken);
    apply.answer("no");
}
