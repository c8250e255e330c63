//! Package managers: what is installed, with its versions, by one read of their own list; and the commands that bring that
//! back. Packages come from outside, so none of them is run unless a person asks for it by name.

use std::collections::BTreeMap;

use serde_json::Value;

use super::place::NOT_KEPT;
use super::read::tool;
use crate::error::{Error, Result};
use crate::model::{Bytes, Invocation, Locator, ObjectSink, Reversibility as R, Word};
use crate::systems::things::{Deed, Thing, locator_of};

/// Packages and their versions.
pub type Installed = BTreeMap<String, String>;

/// One of them.
struct Manager {
    name: &'static str,
    /// The words after the tool's own that list what is installed; where they begin with `!`, another tool's.
    list: &'static [&'static str],
    read: fn(&str) -> Option<Installed>,
    /// Between name and version where one version is meant.
    at: &'static str,
    /// The words that install. Nothing but what is named where the tool can do that.
    install: &'static [&'static str],
    remove: &'static [&'static str],
    /// We run them where a person asks; else they are only named.
    runs: bool,
}

const MANAGERS: &[Manager] = &[
    Manager {
        name: "pip",
        list: &["list", "--format=json", "--disable-pip-version-check"],
        read: pip,
        at: "==",
        install: &["install", "--no-deps"],
        remove: &["uninstall", "-y"],
        runs: true,
    },
    Manager {
        name: "uv",
        list: &["list", "--format=json"],
        read: pip,
        at: "==",
        install: &["install", "--no-deps"],
        remove: &["uninstall"],
        runs: true,
    },
    Manager {
        name: "npm",
        list: &["ls", "-g", "--depth=0", "--json"],
        read: npm,
        at: "@",
        install: &["install", "-g"],
        remove: &["uninstall", "-g"],
        runs: true,
    },
    Manager {
        name: "pnpm",
        list: &["ls", "-g", "--depth=0", "--json"],
        read: npm,
        at: "@",
        install: &["add", "-g"],
        remove: &["remove", "-g"],
        runs: true,
    },
    named("gem", &["list", "--local"], in_brackets, " -v ", &["install"], &["uninstall"]),
    named("cargo", &["install", "--list"], crates, "@", &["install"], &["uninstall"]),
    named("pipx", &["list", "--short"], in_columns, "==", &["install"], &["uninstall"]),
    named("conda", &["list", "--json"], pip, "=", &["install"], &["remove"]),
    named("brew", &["list", "--versions"], in_columns, "@", &["install"], &["uninstall"]),
    named(
        "dpkg",
        &["!dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${binary:Package} ${Version}\n"],
        dpkg,
        "=",
        &["!apt-get", "install"],
        &["!apt-get", "remove"],
    ),
    named(
        "rpm",
        &["!rpm", "-qa", "--qf", "%{NAME}.%{ARCH} %{VERSION}-%{RELEASE}\n"],
        in_columns,
        "-",
        &["!dnf", "install"],
        &["!dnf", "remove"],
    ),
    named("pacman", &["-Q"], in_columns, "=", &["-S"], &["-R"]),
    named("snap", &["list"], snaps, " --revision=", &["install"], &["remove"]),
];

/// One that is read, and whose way back is named.
const fn named(
    name: &'static str,
    list: &'static [&'static str],
    read: fn(&str) -> Option<Installed>,
    at: &'static str,
    install: &'static [&'static str],
    remove: &'static [&'static str],
) -> Manager {
    Manager { name, list, read, at, install, remove, runs: false }
}

/// Variables by which a line chooses another place to install into than the tools would tell us of.
const PLACES: &[&str] = &[
    "PATH",
    "PYTHONHOME",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_PYTHON",
    "NPM_CONFIG_PREFIX",
    "npm_config_prefix",
    "PNPM_HOME",
    "PIPX_HOME",
    "CARGO_HOME",
    "CARGO_INSTALL_ROOT",
    "GEM_HOME",
    "CONDA_PREFIX",
];
/// The system's own: their list is the same for whoever asks.
const OF_THE_SYSTEM: &[&str] = &["dpkg", "rpm", "pacman", "brew", "snap"];
/// Options that do the same.
const ELSEWHERE: &[&str] = &[
    "--target",
    "--prefix",
    "--root",
    "--python",
    "--global-dir",
    "--install-dir",
    "-n",
    "--name",
    "--system",
];
/// The same, of the system's managers.
const OTHER_ROOTS: &[&str] = &["--installroot", "--root", "--admindir", "--dbpath", "--sysroot"];

/// Where the list is read that a command is about to change; `own` are the words after the program that begin each of its
/// commands (`-m pip`).
pub fn place(manager: &str, own: &[&str], inv: &Invocation) -> Locator {
    let place = Locator { at: inv.cwd.clone().unwrap_or_else(|| Bytes::from("/")), ..Locator::default() };
    let words = match OF_THE_SYSTEM.contains(&manager) {
        true => of_the_system(inv),
        false => words_of(own, inv),
    };
    match words {
        Ok(words) => locator_of(place, std::iter::once(format!("packages/{manager} {words}").as_str())),
        Err(why) => {
            let mut place = place;
            place.opts.insert(NOT_KEPT.to_owned(), Bytes::from(why));
            place
        }
    }
}

fn of_the_system(inv: &Invocation) -> std::result::Result<String, String> {
    let is_elsewhere = |word: &&str| OTHER_ROOTS.contains(&word.split('=').next().unwrap_or(word));
    match inv.args().iter().filter_map(Word::as_str).find(is_elsewhere) {
        Some(option) => Err(format!("{option} names another place, which fr does not read")),
        None => Ok(inv.program().unwrap_or_default().to_owned()),
    }
}

fn words_of(own: &[&str], inv: &Invocation) -> std::result::Result<String, String> {
    let other_user = |w: &String| matches!(w.as_str(), "sudo" | "doas" | "su" | "runuser" | "pkexec");
    if inv.wrappers.iter().any(other_user) && !rustix::process::geteuid().is_root() {
        return Err("it runs as another user, whose packages may be others".to_owned());
    }
    if let Some((name, _)) = inv.env.iter().find(|(name, _)| PLACES.contains(&name.as_str())) {
        return Err(format!("the line sets {name}, by which it may be about other packages"));
    }
    let is_elsewhere = |word: &&str| ELSEWHERE.contains(&word.split('=').next().unwrap_or(word));
    if let Some(option) = inv.args().iter().filter_map(Word::as_str).find(is_elsewhere) {
        return Err(format!("{option} names another place, which fr does not read"));
    }
    let unknown = || "which tool it is, is not known before it runs".to_owned();
    let program = inv.argv.first().filter(|word| word.certain).and_then(Word::as_str).ok_or_else(unknown)?;
    let program = match inv.env.iter().rev().find(|(name, _)| name == "VIRTUAL_ENV") {
        _ if program.contains('/') => inv.cwd.as_ref().ok_or_else(unknown)?.join(program.as_bytes()),
        Some((_, Some(dir))) => dir.join(format!("bin/{program}").as_bytes()),
        Some((_, None)) => return Err(unknown()),
        None => Bytes::from(program),
    };
    let program = program.as_str().filter(|text| !text.contains([' ', '\n'])).ok_or_else(unknown)?.to_owned();
    Ok(std::iter::once(program.as_str()).chain(own.iter().copied()).collect::<Vec<_>>().join(" "))
}

/// The manager and the tool's words of a thing's own name.
fn parts(own: &str) -> Option<(&'static Manager, Vec<&str>)> {
    let (name, words) = own.split_once(' ')?;
    let manager = MANAGERS.iter().find(|manager| manager.name == name)?;
    Some((manager, words.split(' ').collect()))
}

/// A command of a manager: its tool's words and these; behind `!` another tool.
fn command<'w>(tool: &[&'w str], words: &[&'w str]) -> Vec<&'w str> {
    match words.split_first() {
        Some((first, rest)) if first.starts_with('!') => {
            std::iter::once(first.trim_start_matches('!')).chain(rest.iter().copied()).collect()
        }
        _ => tool.iter().chain(words).copied().collect(),
    }
}

/// What is installed now.
pub fn look(own: &str, sink: &dyn ObjectSink) -> Result<Option<Thing>> {
    let (manager, words) = parts(own)
        .ok_or_else(|| Error::corrupt(format!("{own} is no list of packages that this fr knows")))?;
    let argv = command(&words, manager.list);
    let done = tool(&argv, b"")?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    // npm says by its code that something in the list is not as it should be: the list is one all the same.
    let read = (done.code == 0 || manager.name == "npm").then(|| (manager.read)(&text)).flatten();
    let Some(all) = read else {
        let text = String::from_utf8_lossy(&done.stderr).into_owned();
        let line =
            text.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or("it says nothing that fr reads");
        return Err(Error::failure(format!("`{}`: {line}", argv.join(" "))));
    };
    let lines: String = all.iter().map(|(name, version)| format!("{name} {version}\n")).collect();
    let mut thing = Thing::new(lines.as_bytes(), sink)?;
    thing.facts = all;
    Ok(Some(thing))
}

/// What has to be done so that what is installed is what it was.
#[derive(Default)]
pub struct Way {
    /// The commands, one after the other.
    pub commands: Vec<Vec<String>>,
    /// They are run where a person asks for it.
    pub runs: bool,
    /// What they install and remove, for people.
    back: Vec<String>,
    gone: Vec<String>,
    /// What no registry gives: it was installed from a directory.
    by_hand: Vec<String>,
}

/// The way from one list to another.
pub fn way(own: &str, before: &Installed, now: &Installed) -> Way {
    let Some((manager, tool)) = parts(own) else { return Way::default() };
    let mut way = Way { runs: manager.runs, ..Way::default() };
    for (name, version) in before.iter().filter(|(name, version)| now.get(*name) != Some(version)) {
        match version.split_once(' ') {
            Some((version, from)) => {
                way.by_hand.push(format!("{name} {version}, which was installed {from}"))
            }
            None => way.back.push(format!("{name}{}{version}", manager.at)),
        }
    }
    way.gone = now.keys().filter(|name| !before.contains_key(*name)).cloned().collect();
    let line = |words: &[&'static str], names: &[String]| {
        let words = command(&tool, words).into_iter().map(str::to_owned);
        words.chain(names.iter().cloned()).collect::<Vec<String>>()
    };
    if !way.gone.is_empty() {
        way.commands.push(line(manager.remove, &way.gone));
    }
    if !way.back.is_empty() {
        way.commands.push(line(manager.install, &way.back));
    }
    way
}

impl Way {
    /// In words.
    pub fn deed(&self) -> Deed {
        let several = |names: &[String]| {
            let shown = names.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
            let more = names.len().saturating_sub(8);
            if more > 0 { format!("{shown} and {more} more") } else { shown }
        };
        let mut does = Vec::new();
        if !self.back.is_empty() {
            does.push(format!("install {} again", several(&self.back)));
        }
        if !self.gone.is_empty() {
            does.push(format!("remove {}", several(&self.gone)));
        }
        let commands: Vec<String> =
            self.commands.iter().map(|argv| format!("`{}`", argv.join(" "))).collect();
        let why = format!("packages come from outside: {}", commands.join(" and "));
        let mut deed = match (self.runs, self.commands.is_empty()) {
            (_, true) => Deed::impossible("leave the packages as they are", "no registry gives what is gone"),
            (true, false) => Deed::on_request(does.join(" and "), R::Recreate, why),
            (false, false) => Deed::impossible(format!("not done: {}", does.join(" and ")), why),
        };
        deed.not_restored.extend(self.by_hand.clone());
        deed
    }
}

fn pip(text: &str) -> Option<Installed> {
    let all: Value = serde_json::from_str(text.trim()).ok()?;
    let one = |package: &Value| {
        let version = package["version"].as_str()?;
        let from = package["editable_project_location"].as_str();
        let version = from.map_or(version.to_owned(), |dir| format!("{version} from {dir}"));
        Some((package["name"].as_str()?.to_owned(), version))
    };
    Some(all.as_array()?.iter().filter_map(one).collect())
}

fn npm(text: &str) -> Option<Installed> {
    let all: Value = serde_json::from_str(text.trim()).ok()?;
    let all = all.as_array().and_then(|list| list.first()).unwrap_or(&all);
    let one = |(name, package): (&String, &Value)| {
        let version = package["version"].as_str()?;
        let linked = package["resolved"].as_str().filter(|from| from.starts_with("file:"));
        Some((name.clone(), linked.map_or(version.to_owned(), |from| format!("{version} from {from}"))))
    };
    Some(
        all.as_object()?
            .get("dependencies")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter_map(one)
            .collect(),
    )
}

/// `name version …`, one a line.
fn in_columns(text: &str) -> Option<Installed> {
    let pair = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next_back()?.to_owned()))
    };
    Some(text.lines().filter_map(pair).collect())
}

/// `name (1.0, 0.9)`
fn in_brackets(text: &str) -> Option<Installed> {
    let pair = |line: &str| {
        let (name, rest) = line.split_once(" (")?;
        let version = rest.trim_end_matches(')').split(',').next()?.trim_start_matches("default: ").trim();
        Some((name.trim().to_owned(), version.to_owned()))
    };
    Some(text.lines().filter_map(pair).collect())
}

/// `name v1.0:`, and `name v1.0 (/from/where):`, with the programs of each below it.
fn crates(text: &str) -> Option<Installed> {
    let pair = |line: &str| {
        let (name, rest) = line.trim_end_matches(':').split_once(" v")?;
        let version = match rest.split_once(" (") {
            Some((version, from)) => format!("{version} from {}", from.trim_end_matches(')')),
            None => rest.to_owned(),
        };
        Some((name.to_owned(), version))
    };
    Some(text.lines().filter(|line| !line.starts_with(' ')).filter_map(pair).collect())
}

fn dpkg(text: &str) -> Option<Installed> {
    let pair = |line: &str| match line.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["ii" | "hi", name, version] => Some(((*name).to_owned(), (*version).to_owned())),
        _ => None,
    };
    Some(text.lines().filter_map(pair).collect())
}

/// Name, version and revision, below a line of headings.
fn snaps(text: &str) -> Option<Installed> {
    let pair = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.nth(1)?.to_owned()))
    };
    Some(text.lines().skip(1).filter_map(pair).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(pairs: &[(&str, &str)]) -> Installed {
        pairs.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned())).collect()
    }

    #[test]
    fn each_list_is_read_as_its_tool_prints_it() {
        type Read = fn(&str) -> Option<Installed>;
        type Packages<'a> = &'a [(&'a str, &'a str)];
        let cases: &[(Read, &str, Packages<'_>)] = &[
            (
                in_brackets,
                "bundler (default: 2.3.7)\nrails (7.0.1, 6.1.4)\n",
                &[("bundler", "2.3.7"), ("rails", "7.0.1")],
            ),
            (
                crates,
                "own v0.1.0 (/src/own):\n    own\nripgrep v13.0.0:\n    rg\n",
                &[("own", "0.1.0 from /src/own"), ("ripgrep", "13.0.0")],
            ),
            (
                dpkg,
                "ii  bash 5.2-1\nrc  gone 1.0\nhi  kept:amd64 2\n",
                &[("bash", "5.2-1"), ("kept:amd64", "2")],
            ),
            (snaps, "Name  Version  Rev  Tracking\nlxd   5.0      24322 latest\n", &[("lxd", "24322")]),
            (
                in_columns,
                "jq 1.6\npython@3.11 3.11.1 3.11.2\nbare\n",
                &[("jq", "1.6"), ("python@3.11", "3.11.2")],
            ),
            (npm, r#"{"name": "lib"}"#, &[]),
        ];
        for (read, text, expected) in cases {
            assert_eq!(read(text), Some(list(expected)), "{text}");
        }
        assert_eq!(pip("WARNING"), None);
    }

    #[test]
    fn what_was_installed_from_a_directory_is_named_and_not_asked_of_a_registry() {
        let before = list(&[("a", "1"), ("own", "2 from /src/own"), ("same", "3")]);
        let way = way("pip /v/bin/python -m pip", &before, &list(&[("a", "2"), ("new", "1"), ("same", "3")]));
        let commands: Vec<String> = way.commands.iter().map(|argv| argv.join(" ")).collect();
        assert_eq!(
            commands,
            ["/v/bin/python -m pip uninstall -y new", "/v/bin/python -m pip install --no-deps a==1"]
        );
        assert_eq!(way.deed().not_restored, ["own 2, which was installed from /src/own"]);
    }
}
