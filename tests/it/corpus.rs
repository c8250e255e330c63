//! The corpus of command lines (`systems.md` 0.3): what each will do, and to what.
//!
//! Rows of fs, git and shell must be exactly right; no harmless row of any system may be flagged; for the other
//! systems, which are read by their words only, the score must not fall.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fr::model::{Bytes, EffectClass};
use fr::record::{assess, explain};
use fr::shell::{ShellCx, understand};
use fr::systems::AssessCx;

struct Row {
    file: &'static str,
    line: usize,
    system: String,
    command: String,
    class: String,
    targets: BTreeSet<String>,
}

const FILES: &[(&str, &str)] = &[
    ("commands.tsv", include_str!("../corpus/commands.tsv")),
    ("more.tsv", include_str!("../corpus/more.tsv")),
    ("expert.tsv", include_str!("../corpus/expert.tsv")),
    ("aws.tsv", include_str!("../corpus/aws.tsv")),
    ("rest.tsv", include_str!("../corpus/rest.tsv")),
    ("infra.tsv", include_str!("../corpus/infra.tsv")),
    ("clouds.tsv", include_str!("../corpus/clouds.tsv")),
    ("data.tsv", include_str!("../corpus/data.tsv")),
];

fn rows() -> Vec<Row> {
    let mut out = Vec::new();
    for (file, text) in FILES {
        for (i, line) in text.lines().enumerate().skip(1).filter(|(_, l)| !l.trim().is_empty()) {
            let columns: Vec<&str> = line.split('\t').collect();
            let command = columns[1].to_owned();
            let command = if command.contains("<<") { command.replace("\\n", "\n") } else { command };
            out.push(Row {
                file,
                line: i + 1,
                system: columns[0].to_owned(),
                command,
                class: columns[2].to_owned(),
                targets: columns[3].split(';').filter(|t| !t.is_empty()).map(normal).collect(),
            });
        }
    }
    out
}

/// The text after `dyn:` is for people.
fn normal(target: &str) -> String {
    if target.starts_with("dyn:") { "dyn:".to_owned() } else { target.to_owned() }
}

fn look(command: &str) -> (EffectClass, BTreeSet<String>) {
    let cwd = Bytes::from("/work/project");
    let mut env = BTreeMap::new();
    env.insert("HOME".to_owned(), Bytes::from("/home/dev"));
    let home = Some(Path::new("/home/dev"));
    let understood =
        understand(command.as_bytes(), &ShellCx { cwd: &cwd, env: &env, home, globs: false, deadline: None });
    let effects = assess::assess(&understood, &AssessCx { env: &env, home });
    let policy = explain::foretell(&effects, &fr::record::Config::default());
    let report = explain::report(&understood, &effects, policy);
    (report.class, report.effects.iter().map(|e| normal(&e.resource.lossy())).collect())
}

fn exact(system: &str) -> bool {
    matches!(system, "fs" | "git" | "shell")
}

/// What of a row is wrong; empty where it is right.
fn wrong(row: &Row) -> String {
    let (class, targets) = look(&row.command);
    if class.as_str() == row.class && targets == row.targets {
        return String::new();
    }
    format!(
        "{}:{} [{}] {}\n    want {} {:?}\n    got  {} {:?}\n",
        row.file, row.line, row.system, row.command, row.class, row.targets, class, targets
    )
}

#[test]
fn files_git_and_shell_are_exactly_right() {
    let wrong: String = rows().iter().filter(|r| exact(&r.system)).map(wrong).collect();
    assert!(wrong.is_empty(), "{} rows are wrong:\n{wrong}", wrong.lines().count() / 3);
}

#[test]
fn nothing_harmless_is_flagged() {
    let flagged: String = rows().iter().filter(|r| r.class == "none").map(wrong).collect();
    assert!(flagged.is_empty(), "flagged:\n{flagged}");
}

#[test]
fn the_other_systems_do_not_get_worse() {
    let rows: Vec<Row> = rows().into_iter().filter(|r| !exact(&r.system)).collect();
    let mut score: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    for row in &rows {
        let (class, targets) = look(&row.command);
        let entry = score.entry(row.system.as_str()).or_default();
        entry.0 += 1;
        entry.1 += usize::from(class.as_str() == row.class);
        entry.2 += usize::from(class.as_str() == row.class && targets == row.targets);
        if std::env::var_os("CORPUS_SHOW").is_some() {
            print!("{}", wrong(row));
        }
    }
    for (system, (all, class, both)) in &score {
        println!("{system:12} {all:4} rows, class {class:4}, class and targets {both:4}");
    }
    let (all, both) = score.values().fold((0, 0), |(a, b), s| (a + s.0, b + s.2));
    assert!(both * 100 >= all * FLOOR, "{both} of {all}");
}

/// The share of rows of other systems that are exactly right, in percent.
const FLOOR: usize = 100;
