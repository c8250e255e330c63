//! What a configuration says of a resource decides whether it is gone: what was imported was there before, what was
//! removed from the configuration alone still is, and what was moved is the same by another name.

use super::scene::Scene;

on_each!([local http] (imported moved removed replaced forgotten_and_made_again));
on_each!(modules [local] (said_by_a_module said_by_the_root_alone));

const OLD: &str = r#"
import {
  to = terraform_data.old
  id = "00000000-0000-4000-8000-000000000001"
}
resource "terraform_data" "old" {
  provisioner "local-exec" {
    when    = destroy
    command = "rm REAL/old"
  }
}
"#;

impl Scene {
    /// Adds a file to the configuration; `REAL` is where real resources are.
    fn configure(&self, name: &str, text: &str) {
        self.env
            .write(&format!("infra/{name}"), text.replace("REAL", self.root.join("real").to_str().unwrap()));
    }

    /// The `web` resource's text in the configuration becomes another.
    fn without_web(&self, instead: &str) {
        let text = self.env.read("infra/main.tf");
        let (front, rest) = text.split_once("resource \"terraform_data\" \"web\"").unwrap();
        let (web, output) = rest.split_once("output \"token\"").unwrap();
        let instead = instead.replace("WEB", web);
        self.env.write("infra/main.tf", format!("{front}{instead}\noutput \"token\"{output}"));
    }
}

/// A bucket that was there for years is taken into the state. Undo takes it out of the state and never removes it.
fn imported(scene: Scene) {
    let before = scene.says();
    scene.env.write("infra/real/old", "");
    scene.configure("old.tf", OLD);
    scene.agent("terraform -chdir=infra apply -auto-approve").ok();
    assert!(scene.listed().contains(&"terraform_data.old".to_owned()));
    for more in [&[][..], &["--apply-infra"]] {
        let event = scene.event();
        let mut args = vec!["undo", event.as_str(), "--dry-run"];
        args.extend(more);
        let dry = scene.env.fr(&args).ok();
        assert!(dry.stdout.contains("terraform_data.old was there before it was imported"), "{dry:?}");
    }
    let undone = scene.undo(&["--apply-infra"]);
    assert_eq!(undone.code, 3, "what the import changed in it is not known: {undone:?}");
    assert!(scene.env.exists("infra/real/old"), "it was there before: {undone:?}");
    assert_eq!(scene.says(), before, "{undone:?}");
    // Together with something that was made: only that is removed.
    scene.configure(
        "more.tf",
        "resource \"terraform_data\" \"more\" {\n  provisioner \"local-exec\" {\n    command = \"touch REAL/more\"\n  }\n  \
         provisioner \"local-exec\" {\n    when = destroy\n    command = \"rm REAL/more\"\n  }\n}\n",
    );
    scene.agent("terraform -chdir=infra apply -auto-approve").ok();
    assert!(scene.env.exists("infra/real/more"));
    let undone = scene.undo(&["--apply-infra"]);
    assert_eq!(undone.code, 3, "{undone:?}");
    assert!(undone.stdout.contains("terraform_data.old were there before an `import` block"), "{undone:?}");
    assert!(scene.env.exists("infra/real/old") && !scene.env.exists("infra/real/more"), "{undone:?}");
}

/// A resource is renamed with a `moved` block: nothing real changes, and nothing real is made or removed by its undo.
fn moved(scene: Scene) {
    let (before, real) = (scene.says(), scene.real());
    scene.without_web(
        "moved {\n  from = terraform_data.web\n  to = terraform_data.shop\n}\nresource \"terraform_data\" \"shop\"WEB",
    );
    scene.agent("terraform -chdir=infra apply -auto-approve").ok();
    assert!(scene.listed().contains(&"terraform_data.shop".to_owned()));
    assert_eq!(scene.real(), real);
    let dry = scene.env.fr(&["undo", &scene.event(), "--dry-run"]).ok();
    assert!(dry.stdout.contains("terraform_data.shop was only renamed"), "{dry:?}");
    let undone = scene.undo(&[]);
    assert_eq!(undone.code, 0, "{undone:?}");
    assert_eq!((scene.says(), scene.real()), (before, real));
}

/// A resource leaves the configuration with `destroy = false`: it still exists, and a second one is never made.
fn removed(scene: Scene) {
    let (before, real) = (scene.says(), scene.real());
    scene.without_web("removed {\n  from = terraform_data.web\n  lifecycle {\n    destroy = false\n  }\n}\n");
    scene.agent("terraform -chdir=infra apply -auto-approve").ok();
    assert_eq!(scene.listed().len(), 2);
    assert_eq!(scene.real(), real, "it was only forgotten");
    let undone = scene.undo(&["--apply-infra"]);
    assert_eq!(undone.code, 0, "{undone:?}");
    assert_eq!((scene.says(), scene.real()), (before, real), "{undone:?}");
    // A disk is destroyed by the same apply: the one is gone, the other is not said to be.
    let text = scene.env.read("infra/main.tf").replace("[\"a\", \"b\"]", "[\"a\"]");
    scene.env.write("infra/main.tf", text);
    scene.agent("terraform -chdir=infra apply -auto-approve").ok();
    assert_eq!(scene.real(), ["disk-a-small", "web"]);
    let undone = scene.undo(&["--apply-infra"]);
    assert_eq!(undone.code, 3, "{undone:?}");
    assert!(
        undone.stdout.contains("terraform_data.web were taken out of the state by a block"),
        "{undone:?}"
    );
    assert!(undone.stdout.contains("not restored: terraform_data.disk[\"b\"] (id "), "{undone:?}");
    assert!(!undone.stdout.contains("not restored: terraform_data.web"), "{undone:?}");
}

/// `-replace`: the old one is destroyed, and another one is there by its name.
fn replaced(scene: Scene) {
    let old = scene.state();
    scene.agent("terraform -chdir=infra apply -auto-approve -replace=terraform_data.web").ok();
    let (now, real) = (scene.state(), scene.real());
    assert_ne!(now, old);
    let undone = scene.undo(&["--apply-infra"]);
    assert_eq!(undone.code, 3, "{undone:?}");
    assert!(
        undone.stdout.contains("terraform_data.web was destroyed and made anew by the command"),
        "{undone:?}"
    );
    assert!(undone.stdout.contains("not restored: terraform_data.web (id "), "{undone:?}");
    assert_eq!((scene.state(), scene.real()), (now, real), "what is there stays: {undone:?}");
}

/// The agent forgets a resource and applies: a second one is made beside the first. Undo says that the first may exist, and
/// offers to remove the second.
fn forgotten_and_made_again(scene: Scene) {
    scene.agent("cd infra && terraform state rm terraform_data.web && terraform apply -auto-approve").ok();
    assert_eq!(scene.listed().len(), 3);
    let undone = scene.undo(&[]);
    assert_eq!(undone.code, 3, "{undone:?}");
    assert!(undone.stdout.contains("terraform_data.web were taken out of the state by name"), "{undone:?}");
    assert!(
        !undone.stdout.contains("terraform_data.web (id ") || !undone.stdout.contains("is gone"),
        "{undone:?}"
    );
    assert_eq!(scene.listed().len(), 3, "nothing real is removed unasked");
    let undone = scene.undo(&["--apply-infra"]);
    assert_eq!(undone.code, 3, "{undone:?}");
    assert_eq!(scene.listed(), ["terraform_data.disk[\"a\"]", "terraform_data.disk[\"b\"]"], "{undone:?}");
}

/// A thing whose file is made and removed with it.
fn thing(name: &str) -> String {
    format!(
        "resource \"terraform_data\" \"{name}\" {{\n  input = path.module\n  provisioner \"local-exec\" {{\n    command = \"touch REAL/{name}\"\n  }}\n  \
         provisioner \"local-exec\" {{\n    when = destroy\n    command = \"rm REAL/{name}\"\n  }}\n}}\n"
    )
}

/// A module forgets one of its things and renames another: both exist. One that terraform cannot have, an `import` block
/// in a module, is refused (until 1.11), and nothing is taken from that.
fn said_by_a_module(scene: Scene) {
    scene.configure("net.tf", "module \"net\" {\n  source = \"./net\"\n}\n");
    scene.configure("net/main.tf", &(thing("kept") + &thing("old") + &thing("lost")));
    scene.tf("init -input=false").ok();
    scene.tf("apply -auto-approve").ok();
    let before = scene.says();
    let forget = "removed {\n  from = terraform_data.kept\n  lifecycle {\n    destroy = false\n  }\n}\n";
    let rename = "moved {\n  from = terraform_data.old\n  to = terraform_data.new\n}\n";
    let renamed = thing("old").replace("\"terraform_data\" \"old\"", "\"terraform_data\" \"new\"");
    scene.configure("net/main.tf", &format!("{forget}{rename}{renamed}{}", thing("lost")));
    scene.agent("terraform -chdir=infra apply -auto-approve").ok();
    assert!(scene.real().contains(&"kept".to_owned()) && scene.real().contains(&"old".to_owned()));
    let undone = scene.undo(&["--apply-infra"]);
    assert_eq!(undone.code, 0, "nothing real was touched: {undone:?}");
    assert_eq!(scene.says(), before, "{undone:?}");
    // The same with something that is destroyed.
    scene.configure("net/main.tf", &format!("{forget}{rename}{renamed}"));
    scene.agent("terraform -chdir=infra apply -auto-approve").ok();
    assert!(!scene.listed().contains(&"module.net.terraform_data.lost".to_owned()));
    let undone = scene.undo(&["--apply-infra"]);
    assert_eq!(undone.code, 3, "{undone:?}");
    assert!(undone.stdout.contains("not restored: module.net.terraform_data.lost (id "), "{undone:?}");
    assert!(!undone.stdout.contains("not restored: module.net.terraform_data.kept"), "{undone:?}");
    let there = (scene.says(), scene.real());
    scene.configure(
        "net/import.tf",
        "import {\n  to = terraform_data.kept\n  id = \"00000000-0000-4000-8000-000000000003\"\n}\n",
    );
    let refused = scene.agent("terraform -chdir=infra apply -auto-approve");
    assert!(refused.code != 0 && refused.stderr.contains("import"), "{refused:?}");
    let undone = scene.undo(&["--apply-infra"]);
    assert_eq!(undone.code, 5, "it did nothing: {undone:?}");
    std::fs::remove_file(scene.root.join("net/import.tf")).unwrap();
    assert_eq!((scene.says(), scene.real()), there);
}

/// A new version of a module out of a repository calls a thing otherwise, as registry modules do: it is the same thing.
/// Fetched before, or by the very line that applies it.
#[test]
fn renamed_by_a_module_that_was_fetched() {
    if crate::terraform::terraform().is_none() {
        return;
    }
    for line in [
        "terraform -chdir=infra apply -auto-approve",
        "cd infra && terraform init -upgrade -input=false && terraform apply -auto-approve",
    ] {
        let scene = Scene::on(crate::terraform::backends::Backend::Local);
        let far = scene.env.root().join("far");
        let release = |text: &str| {
            let text = text.replace("REAL", scene.root.join("real").to_str().unwrap());
            std::fs::create_dir_all(&far).unwrap();
            std::fs::write(far.join("main.tf"), text).unwrap();
            let commit = "git init -q; git add -A; git -c user.name=x -c user.email=x@y commit -q -m release";
            scene.env.sh(&format!("cd {} && {{ {commit}; }}", far.display())).ok();
        };
        release(&thing("old"));
        scene.configure(
            "far.tf",
            &format!("module \"far\" {{\n  source = \"git::file://{}\"\n}}\n", far.display()),
        );
        scene.tf("init -input=false").ok();
        scene.tf("apply -auto-approve").ok();
        let (before, real) = (scene.says(), scene.real());
        let renamed = thing("old").replace("\"terraform_data\" \"old\"", "\"terraform_data\" \"new\"");
        release(&format!("moved {{\n  from = terraform_data.old\n  to = terraform_data.new\n}}\n{renamed}"));
        if !line.contains("init") {
            scene.tf("init -upgrade -input=false").ok();
        }
        scene.agent(line).ok();
        assert!(scene.listed().contains(&"module.far.terraform_data.new".to_owned()));
        let undone = scene.undo(&["--apply-infra"]);
        assert_eq!(undone.code, 0, "nothing real was touched, nothing is made or removed: {undone:?}");
        assert!(undone.stdout.contains("was only renamed"), "{undone:?}");
        assert_eq!((scene.says(), scene.real()), (before, real), "{undone:?}");
    }
}

/// The root module forgets its `web`; the module's `web`, which is destroyed by the same apply, is not said to exist.
fn said_by_the_root_alone(scene: Scene) {
    let inner = thing("web").replace("REAL/web", "REAL/inner-web");
    scene.configure("net.tf", "module \"net\" {\n  source = \"./net\"\n}\n");
    scene.configure("net/main.tf", &inner);
    scene.tf("init -input=false").ok();
    scene.tf("apply -auto-approve").ok();
    scene.without_web("removed {\n  from = terraform_data.web\n  lifecycle {\n    destroy = false\n  }\n}\n");
    scene.configure("net/main.tf", "");
    scene.agent("terraform -chdir=infra apply -auto-approve").ok();
    assert!(!scene.listed().iter().any(|address| address.ends_with(".web")));
    let undone = scene.undo(&[]);
    assert_eq!(undone.code, 3, "{undone:?}");
    assert!(undone.stdout.contains("not restored: module.net.terraform_data.web (id "), "{undone:?}");
    assert!(!undone.stdout.contains("not restored: terraform_data.web"), "{undone:?}");
}
