//! The founding incident: resources are destroyed. Their state does not bring them back, and undo never says so: it puts
//! the configuration beside, names what is gone, and lets terraform make it again where it is asked to.

use std::process::{Command, Stdio};

use super::scene::{Apply, Scene, names};

on_each!([local http pg s3 kubernetes] (all_of_it a_target failed_half_way somebody_applied_since destroyed_under_a_lock));
on_each!(others [local http] (configuration_changed_since never_reported));

const DESTROY: &str = "terraform -chdir=infra destroy -auto-approve";

/// The directory that undo puts beside the root module.
fn kit(scene: &Scene) -> std::path::PathBuf {
    let found = names(&scene.env.project);
    let kit: Vec<&String> = found.iter().filter(|name| name.starts_with("infra.fr-undo-")).collect();
    assert_eq!(kit.len(), 1, "{found:?}");
    scene.env.project.join(kit[0])
}

fn all_of_it(scene: Scene) {
    let configuration = scene.env.read("infra/main.tf");
    scene.agent(DESTROY).ok();
    assert_eq!(scene.real(), [""; 0]);
    let destroyed = scene.state();

    let plan = scene.env.fr(&["undo", &scene.event(), "--dry-run"]).ok().stdout;
    assert!(
        plan.contains("terraform apply: create terraform_data.disk[\"a\"], terraform_data.disk[\"b\"]"),
        "{plan}"
    );
    assert!(plan.contains("not done: it changes real infrastructure: --apply-infra does it"), "{plan}");
    assert!(plan.contains("not restored: terraform_data.web (id "), "{plan}");

    let undone = scene.undo(&[]);
    assert_eq!(undone.code, 3, "{undone:?}");
    assert!(undone.stdout.contains("is undone in part"), "{undone:?}");
    assert_eq!(scene.state(), destroyed, "no state claims that they exist");
    assert_eq!(scene.real(), [""; 0]);
    let kit = kit(&scene);
    let read = |name: &str| std::fs::read_to_string(kit.join(name)).unwrap();
    assert_eq!(read("configuration/main.tf"), configuration);
    assert!(read("gone.txt").contains("terraform_data.web (id "), "{}", read("gone.txt"));
    assert!(read("plan.txt").contains("Plan: 3 to add, 0 to change, 0 to destroy."), "{}", read("plan.txt"));
    scene.keeps_secrets();

    let event = scene.env.fr(&["timeline", "--grep", "destroy", "--json"]).ok().json()[0]["id"].to_string();
    let made = scene.env.fr(&["undo", &event, "--yes", "--apply-infra"]);
    assert_eq!(made.code, 3, "new resources are not the old ones: {made:?}");
    assert_eq!(scene.real(), ["disk-a-small", "disk-b-small", "web"], "{made:?}");
    assert_eq!(scene.listed().len(), 3);
    assert!(made.stdout.contains("not restored: terraform_data.web (id "), "{made:?}");
    let again = scene.env.fr(&["undo", &event, "--yes", "--apply-infra"]);
    assert_eq!(again.code, 5, "done twice is done once: {again:?}");
    assert_eq!(scene.tf("plan -detailed-exitcode").code, 0);
}

/// What the undo made for real is destroyed again by a redo only where that is asked for, too.
#[test]
fn a_redo_destroys_what_the_undo_made_only_when_asked() {
    if super::terraform().is_none() {
        return;
    }
    let scene = Scene::on(super::backends::Backend::Local);
    scene.agent(DESTROY).ok();
    scene.undo(&["--apply-infra"]);
    let made = scene.real();
    assert_eq!(made, ["disk-a-small", "disk-b-small", "web"]);
    let redone = scene.env.fr(&["redo", "--yes"]);
    assert_eq!(redone.code, 3, "{redone:?}");
    assert!(
        redone.stderr.contains("`--apply-infra` does it"),
        "what it says is what `fr redo` has: {redone:?}"
    );
    assert_eq!(scene.real(), made);
    let redone = scene.env.fr(&["redo", "--yes", "--apply-infra"]);
    assert!([0, 3].contains(&redone.code), "{redone:?}");
    assert_eq!(scene.real(), [""; 0], "{redone:?}");
    assert_eq!(scene.listed(), [""; 0], "{redone:?}");
    // And once more. A destroy by targets leaves the outputs in the state, so it is not quite what the command left.
    let undone = scene.env.fr(&["undo", "1", "--yes", "--apply-infra", "--on-conflict", "merge"]);
    assert_eq!((undone.code, scene.real()), (3, made), "new resources are not the old ones: {undone:?}");
}

/// Terraform takes along what depends on a target: nobody has named it, and it is gone.
fn a_target(scene: Scene) {
    scene.agent("terraform -chdir=infra destroy -auto-approve -target='terraform_data.disk[\"b\"]'").ok();
    assert_eq!(scene.real(), ["disk-a-small"]);
    let made = scene.undo(&["--apply-infra"]);
    assert_eq!(made.code, 3, "{made:?}");
    for gone in ["terraform_data.disk[\"b\"] (id ", "terraform_data.web (id "] {
        assert!(made.stdout.contains(gone), "{made:?}");
    }
    assert!(!made.stdout.contains("terraform_data.disk[\"a\"] (id "), "what survived is not named: {made:?}");
    assert_eq!(scene.real(), ["disk-a-small", "disk-b-small", "web"]);
}

/// One of them cannot be destroyed: the command fails, and others are gone all the same.
fn failed_half_way(scene: Scene) {
    scene.env.write("infra/real/stuck", "");
    let ran = scene.agent(DESTROY);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(scene.real(), ["disk-a-small", "disk-b-small", "stuck"]);
    std::fs::remove_file(scene.root.join("real/stuck")).unwrap();
    let made = scene.undo(&["--apply-infra"]);
    assert_eq!(made.code, 3, "{made:?}");
    assert_eq!(scene.real(), ["disk-a-small", "disk-b-small", "web"]);
    assert!(made.stdout.contains("terraform_data.web (id "), "{made:?}");
    assert!(!made.stdout.contains("terraform_data.disk[\"a\"] (id "), "it was never gone: {made:?}");
}

fn somebody_applied_since(scene: Scene) {
    scene.agent(DESTROY).ok();
    scene.tf("apply -auto-approve -target='terraform_data.disk[\"a\"]'").ok();
    let (state, real) = (scene.state(), scene.real());
    let undone = scene.undo(&["--apply-infra"]);
    assert_eq!(undone.code, 4, "{undone:?}");
    assert!(
        undone.stderr.contains("somebody applied since") && undone.stderr.contains("serial"),
        "{undone:?}"
    );
    assert_eq!((scene.state(), scene.real()), (state, real), "nothing was written");
    let merged = scene.undo(&["--apply-infra", "--on-conflict", "merge"]);
    assert_eq!(merged.code, 3, "what was made is not what was: {merged:?}");
    assert_eq!(
        scene.real(),
        ["disk-a-small", "disk-b-small", "web"],
        "theirs stays, the rest is made: {merged:?}"
    );
    assert_eq!(scene.listed().len(), 3);
}

/// A colleague's apply holds the lock: the destroy fails and has changed nothing, so there is nothing to take back.
fn destroyed_under_a_lock(scene: Scene) {
    scene.tf("taint terraform_data.web").ok();
    let before = scene.state();
    let apply = Apply::waiting(&scene);
    assert_eq!(scene.agent(DESTROY).code, 1);
    let undone = scene.undo(&["--apply-infra"]);
    assert_eq!(undone.code, 5, "{undone:?}");
    apply.answer("no");
    assert_eq!((scene.state(), scene.real().len()), (before, 3));
}

/// The machine of the person on call dies while terraform makes things again. What was made stays, and the rest is made
/// when they are back.
#[test]
fn killed_while_it_is_made_again() {
    if super::terraform().is_some() {
        [false, true].into_iter().for_each(killed_and_gone_on_with);
    }
}

fn killed_and_gone_on_with(asked: bool) {
    let scene = Scene::on(super::backends::Backend::Local);
    scene.agent(DESTROY).ok();
    scene.env.write("infra/real/hold-a-small", "");
    let mut undo = scene.env.command("fr");
    undo.args(["undo", &scene.event(), "--yes", "--apply-infra"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut undo = undo.spawn().unwrap();
    crate::pty::until("the other disk is made", || scene.env.exists("infra/real/disk-b-small"));
    kill_tree(undo.id());
    undo.wait().unwrap();
    std::fs::remove_file(scene.root.join("real/hold-a-small")).unwrap();
    // Whether the state knows of the disk that was being made depends on the moment.
    let is_known = scene.tf("state list").stdout.contains("terraform_data.disk[\"a\"]");
    let event = scene.env.fr(&["timeline", "--grep", "destroy", "--json"]).ok().json()[0]["id"].to_string();
    assert_eq!(scene.env.fr(&["undo", &event, "--yes"]).code, 1, "the other one is to be ended first");
    if asked {
        let resumed = scene.env.fr(&["undo", "--resume", "--apply-infra"]);
        assert_eq!(resumed.code, 3, "{resumed:?}");
        assert!(resumed.stdout.contains("terraform_data.web (id "), "{resumed:?}");
    } else {
        let resumed = scene.env.fr(&["undo", "--resume"]);
        assert_eq!(resumed.code, 3, "{resumed:?}");
        assert_eq!(scene.real(), ["disk-b-small"], "nothing real is made unasked: {resumed:?}");
        let made = scene.env.fr(&["undo", &event, "--yes", "--apply-infra", "--on-conflict", "merge"]);
        assert_eq!(made.code, 3, "{made:?}");
    }
    assert_eq!(scene.listed().len(), 3);
    let real = scene.real();
    assert_eq!(
        real.contains(&"disk-a-small".to_owned()),
        !is_known,
        "what is in the state is not made twice"
    );
    assert!(real.ends_with(&["disk-b-small".to_owned(), "web".to_owned()]), "{real:?}");
    let again = scene.env.fr(&["undo", &event, "--yes", "--apply-infra"]);
    assert_eq!(again.code, 5, "{again:?}");
    assert!(again.stderr.contains("is back as far as it can be"), "{again:?}");
}

/// A plan that was reviewed says what would be made again; it is made where that is asked for as well.
#[test]
fn a_reviewed_plan_is_applied_with_its_infrastructure() {
    if super::terraform().is_none() {
        return;
    }
    let scene = Scene::on(super::backends::Backend::Local);
    scene.agent(DESTROY).ok();
    scene.env.fr(&["undo", "1", "--plan-out", "reviewed"]).ok();
    assert!(scene.env.read("reviewed").contains("terraform apply: create"));
    let made = scene.env.fr(&["undo", "--plan", "reviewed", "--yes", "--apply-infra"]);
    assert_eq!(made.code, 3, "{made:?}");
    assert_eq!(scene.real(), ["disk-a-small", "disk-b-small", "web"], "{made:?}");
    let stale = scene.env.fr(&["undo", "--plan", "reviewed", "--yes", "--apply-infra"]);
    assert_eq!(stale.code, 4, "{stale:?}");
}

/// Ends a process and all that it has started, at once.
fn kill_tree(pid: u32) {
    let pid = pid.to_string();
    let listed = Command::new("ps").args(["-o", "pid=", "--ppid", &pid]).output().unwrap().stdout;
    let _ = Command::new("kill").args(["-9", &pid]).status();
    let children = String::from_utf8(listed).unwrap();
    children.split_whitespace().filter_map(|child| child.parse().ok()).for_each(kill_tree);
}

/// The configuration that is there now does not know what is gone: it is made again from the recorded one.
fn configuration_changed_since(scene: Scene) {
    let configuration = scene.env.read("infra/main.tf");
    scene.agent(DESTROY).ok();
    let without = configuration.split("resource \"terraform_data\" \"web\"").next().unwrap().to_owned();
    scene.env.write("infra/main.tf", &without);
    let made = scene.undo(&["--apply-infra"]);
    assert!(made.stdout.contains("the configuration has changed since"), "{made:?}");
    assert_eq!(scene.env.read("infra/main.tf"), without, "the present configuration stays");
    assert_eq!(scene.real(), ["disk-a-small", "disk-b-small", "web"], "{made:?}");
    assert!(scene.listed().contains(&"terraform_data.web".to_owned()), "{made:?}");
    let kit = kit(&scene);
    assert!(!kit.join("configuration/terraform.tfstate").exists(), "the state is the root module's");
}

/// The agent was killed while terraform ran: nobody told how it ended.
fn never_reported(scene: Scene) {
    let call = scene.env.claude_pre(DESTROY);
    assert_eq!(call.answer.code, 0, "{call:?}");
    scene.tf("destroy -auto-approve -target=terraform_data.web").ok();
    let made = scene.undo(&["--apply-infra"]);
    assert_eq!(made.code, 3, "{made:?}");
    assert_eq!(scene.real(), ["disk-a-small", "disk-b-small", "web"], "{made:?}");
}
