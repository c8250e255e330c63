//! A saved plan is applied as it was made: with its targets, its variables and its configuration, whatever lies there by now.

use super::scene::Scene;

on_each!([local pg] (
    the_configuration_has_changed_since_it_was_made made_and_applied_by_one_line a_plan_that_is_stale_says_nothing
    nobody_sees_the_variables_of_a_plan_while_it_is_taken_back
));

impl Scene {
    /// The module's resources are others: bigger, by a variable that only the one who plans names.
    fn grown(&self) -> Vec<String> {
        self.tf("destroy -auto-approve").ok();
        self.tf("apply -auto-approve -var size=large").ok();
        self.real()
    }
}

/// Somebody planned a destroy of a part, with variables of the line; the agent then cleans up the configuration and
/// applies the plan. What is gone is made again from what the plan was made with, not from what lies there.
fn the_configuration_has_changed_since_it_was_made(scene: Scene) {
    scene.env.write("infra/net.tf", "module \"net\" {\n  source = \"../net\"\n}\n");
    let real = scene.root.join("real").display().to_string();
    scene.env.write(
        "net/main.tf",
        "resource \"terraform_data\" \"net\" {\n  input = file(\"${path.module}/n.txt\")\n  provisioner \"local-exec\" {\n    \
         command = \"echo ${self.input} > REAL/net\"\n  }\n  provisioner \"local-exec\" {\n    when = destroy\n    command = \"rm REAL/net\"\n  }\n}\n"
            .replace("REAL", &real),
    );
    scene.env.write("net/n.txt", "7");
    scene.tf("init -input=false").ok();
    let real = scene.grown();
    scene.tf("plan -destroy -var size=large -target=module.net -target='terraform_data.disk[\"b\"]' -out=saved").ok();
    std::fs::remove_file(scene.root.join("net.tf")).unwrap();
    let text = scene.env.read("infra/main.tf");
    let without = text.split("resource \"terraform_data\" \"disk\"").next().unwrap().to_owned();
    scene.env.write("infra/main.tf", &without);
    scene.agent("terraform -chdir=infra apply saved").ok();
    assert_eq!(scene.real(), ["disk-a-large"], "web depends on the disks");
    let undone = scene.undo(&["--apply-infra"]);
    assert_eq!(undone.code, 3, "{undone:?}");
    assert_eq!(scene.real(), real, "{undone:?}");
    assert_eq!(scene.env.read("infra/real/net"), "7\n");
    assert!(
        !undone.stdout.contains("terraform_data.disk[\"a\"] (id "),
        "what survived is not named: {undone:?}"
    );
    assert_eq!(scene.env.read("infra/main.tf"), without, "the present configuration stays");
    scene.keeps_secrets();
}

/// The agent's usual line. Before it runs there is no plan to be read; what it will do was said to `plan`.
fn made_and_applied_by_one_line(scene: Scene) {
    let real = scene.grown();
    // An older plan of that name is not what is applied.
    scene.tf("plan -destroy -target='terraform_data.disk[\"a\"]' -out=tfplan").ok();
    scene
        .agent("cd infra && terraform plan -destroy -var size=large -out=tfplan && terraform apply tfplan")
        .ok();
    assert_eq!(scene.real(), [""; 0]);
    let shown = scene.env.fr(&["show", &scene.event(), "--json"]).ok().json();
    assert_eq!(shown["class"], "destroy", "{shown:#}");
    let undone = scene.undo(&["--apply-infra"]);
    assert_eq!(undone.code, 3, "{undone:?}");
    assert_eq!(scene.real(), real, "as large as they were: {undone:?}");
}

/// A plan that was made over another state is refused by terraform: the record says so, and its variables are not taken.
fn a_plan_that_is_stale_says_nothing(scene: Scene) {
    scene.tf("plan -destroy -out=saved").ok();
    let real = scene.grown();
    let ran = scene.agent("terraform -chdir=infra apply saved");
    assert!(ran.code != 0 && ran.stderr.contains("stale"), "{ran:?}");
    let shown = scene.env.fr(&["show", &scene.event()]).ok().stdout;
    assert!(shown.contains("it was made over another state (serial "), "{shown}");
    let undone = scene.undo(&["--apply-infra"]);
    assert_eq!(undone.code, 5, "{undone:?}");
    assert_eq!(scene.real(), real);
}

/// The values are in the plan, and were never on a command line; whoever lists processes while it is taken back sees none.
/// Neither where the configuration has changed since, so that terraform is asked to plan and apply in one.
fn nobody_sees_the_variables_of_a_plan_while_it_is_taken_back(mut scene: Scene) {
    let text = scene.env.read("infra/main.tf");
    let more = "variable \"key\" {}\nvariable \"tags\" {\n  type = map(string)\n}\noutput \"both\" {\n  value = \"${var.key} ${var.tags.a}\"\n}\n";
    scene.env.write("infra/main.tf", format!("{text}{more}"));
    let key = "key = \"tf-secret-in-file\"\nsize = \"huge\"\ntags = {a = \"x\"}\n";
    scene.env.write("vars/one.tfvars", key);
    scene.tf("destroy -auto-approve -var-file=../vars/one.tfvars -var size=small").ok();
    scene.tf("apply -auto-approve -var-file=../vars/one.tfvars").ok();
    let real = scene.real();
    assert!(real.contains(&"disk-a-huge".to_owned()));
    scene.tf("plan -destroy -var-file=../vars/one.tfvars -out=saved").ok();
    scene.agent("terraform -chdir=infra apply saved").ok();
    std::fs::remove_dir_all(scene.env.project.join("vars")).unwrap();

    // A terraform that writes down how it was started.
    let bin = scene.env.root().join("bin");
    let log = scene.env.root().join("started");
    std::fs::create_dir(&bin).unwrap();
    let program = super::terraform().unwrap();
    let script =
        format!("#!/bin/sh\nprintf '%s\\n' \"$*\" >> {}\nexec {} \"$@\"\n", log.display(), program.display());
    std::fs::write(bin.join("terraform"), script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(bin.join("terraform"), mode).unwrap();
    scene.env.vars.push(("PATH".to_owned(), format!("{}:{}", bin.display(), scene.env.path())));
    let undone = scene.undo(&["--apply-infra"]);
    assert_eq!(undone.code, 3, "{undone:?}");
    assert_eq!(scene.real(), real, "{undone:?}");
    let output = scene.tf("output -raw both").ok().stdout;
    assert_eq!(output, "tf-secret-in-file x");
    let started = std::fs::read_to_string(&log).unwrap();
    assert!(started.contains("-destroy") || started.contains("plan "), "{started}");
    assert!(!started.contains("tf-secret") && !started.contains("huge"), "{started}");
    let stored = scene.env.sh("grep -rl tf-secret-in-file $FR_HOME").stdout;
    assert_eq!(stored, "");
}
