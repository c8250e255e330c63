//! How agents behave, as far as their commands tell.

use std::path::{Path, PathBuf};

use super::measures::Measured;
use super::scene::{Scene, effects, few, named};
use crate::journal::index::Event;

/// How long a look counts.
const FRESH_NS: i64 = 3_600_000_000_000;

/// A tool that can say what it would do.
struct Tool {
    system: &'static str,
    /// Words of the commands that could have been looked at first; empty: all of the system's.
    of: &'static [&'static str],
    /// Words of a look.
    looks: &'static [&'static str],
}

/// rds, iam and the like have no dry-run: nobody can be blamed for not asking.
const TOOLS: &[Tool] = &[
    Tool {
        system: "terraform",
        of: &[],
        looks: &["terraform plan", "tofu plan", "terragrunt plan", " plan "],
    },
    Tool { system: "kubernetes", of: &[], looks: &["--dry-run", "kubectl diff", "helm diff"] },
    Tool { system: "aws", of: &[" ec2 ", " s3 "], looks: &["--dry-run", "--dryrun"] },
    Tool {
        system: "git",
        of: &["git push", "git clean"],
        looks: &["--dry-run", "git clean -n", "git push -n"],
    },
];

/// Whether agents ask a tool what it would do before they have it done.
pub fn looked_first(scene: &Scene<'_>) -> Measured {
    let all: Vec<&Event> = scene.by_agents().collect();
    let (mut looked, mut could, mut blind) = (0, 0, Vec::new());
    for (at, event) in all.iter().enumerate() {
        let line = spaced(event);
        let tool = TOOLS.iter().find(|tool| {
            let destroys = effects(event).any(|e| e.system.0 == tool.system && e.class.is_destructive());
            destroys && (tool.of.is_empty() || tool.of.iter().any(|word| line.contains(word)))
        });
        let Some(tool) = tool else { continue };
        could += 1;
        // Newest first: what comes after it in the list came before it.
        let before = all.iter().skip(at + 1).filter(|earlier| earlier.before.session == event.before.session);
        let recent = before.take_while(|earlier| event.before.at_ns - earlier.before.at_ns <= FRESH_NS);
        let is_look = |earlier: &&Event| {
            let line = spaced(earlier);
            is_tools(tool, &line) && tool.looks.iter().any(|word| line.contains(word))
        };
        match recent.into_iter().any(is_look) {
            true => looked += 1,
            false => blind.push(named(event)),
        }
    }
    let none = "agents ran no destructive command of a tool that can be asked first";
    let measured = Measured::share(looked, could, none);
    if blind.is_empty() { measured } else { measured.with(format!("not asked first: {}", few(&blind))) }
}

fn is_tools(tool: &Tool, line: &str) -> bool {
    let names: &[&str] = match tool.system {
        "kubernetes" => &["kubectl", "helm", " oc "],
        "terraform" => &["terraform", "tofu", "terragrunt"],
        system => &[system],
    };
    names.iter().any(|name| line.contains(name))
}

fn spaced(event: &Event) -> String {
    format!(" {} ", event.before.command.line.lossy().split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Whether what agents destroy is in their project.
pub fn inside(scene: &Scene<'_>) -> Measured {
    let mut temporary: Vec<PathBuf> = vec!["/tmp".into(), "/var/tmp".into()];
    temporary.extend(std::env::var_os("TMPDIR").map(PathBuf::from).filter(|dir| dir.is_absolute()));
    let (mut within, mut all, mut outside) = (0, 0, Vec::new());
    for event in scene.by_agents() {
        let of_files = effects(event).filter(|e| e.system.0 == "fs" && e.class.is_destructive());
        let paths: Vec<PathBuf> = of_files
            .filter_map(|effect| effect.locator.as_ref())
            .map(|place| place.at.as_path().to_path_buf())
            .filter(|path| path.is_absolute())
            .collect();
        if paths.is_empty() {
            continue;
        }
        all += 1;
        let project = project(scene, event);
        let is_in =
            |path: &&PathBuf| path.starts_with(&project) || temporary.iter().any(|dir| path.starts_with(dir));
        match paths.iter().find(|path| !is_in(path)) {
            None => within += 1,
            Some(path) => outside.push(format!("{}: {}", named(event), path.display())),
        }
    }
    let measured = Measured::share(within, all, "agents destroyed no file");
    if outside.is_empty() { measured } else { measured.with(format!("outside: {}", few(&outside))) }
}

/// The work tree around the directory that the session began in. The home directory and the root are no project: everything
/// is in them.
fn project(scene: &Scene<'_>, event: &Event) -> PathBuf {
    let session = scene.record.sessions.get(&event.before.session);
    let began = session.map_or(&event.before.cwd, |session| &session.cwd).as_path().to_path_buf();
    let top = began.ancestors().find(|dir| dir.join(".git").symlink_metadata().is_ok());
    let project = top.unwrap_or(&began);
    let is_everything = project == Path::new("/") || scene.world.home.starts_with(project);
    if is_everything { event.before.cwd.as_path().to_path_buf() } else { project.to_path_buf() }
}

/// Whether agents work without the rights of root.
pub fn no_root(scene: &Scene<'_>) -> Measured {
    let (mut plain, mut all, mut raised) = (0, 0, Vec::new());
    for event in scene.by_agents() {
        all += 1;
        match is_raised(&event.before.command.line.lossy()) {
            false => plain += 1,
            true => raised.push(named(event)),
        }
    }
    if all == 0 {
        return Measured::unknown(format!("no agent is on record {}", scene.wanted.time()));
    }
    if rustix::process::geteuid().is_root() {
        return Measured::share(0, all, "")
            .with("this store is root's: agents that report to it run as root");
    }
    let measured = Measured::share(plain, all, "");
    if raised.is_empty() { measured } else { measured.with(format!("as root: {}", few(&raised))) }
}

/// A command of the line is run with other rights.
fn is_raised(line: &str) -> bool {
    let commands = line.split([';', '|', '&', '\n', '(', '{']);
    commands.filter_map(|command| command.split_whitespace().next()).any(|word| {
        let name = word.rsplit('/').next().unwrap_or(word);
        matches!(name, "sudo" | "doas" | "su" | "pkexec")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_raised_by_a_command_and_not_by_a_word() {
        for line in
            ["sudo rm x", "cd x && sudo -u root rm y", "ls | /usr/bin/sudo tee /etc/x", "(doas reboot)"]
        {
            assert!(is_raised(line), "{line}");
        }
        for line in ["echo sudo", "grep -r sudo .", "./sudoku", "cat sudo.txt; ls"] {
            assert!(!is_raised(line), "{line}");
        }
    }
}
