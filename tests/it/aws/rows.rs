//! Every kind of thing that undo knows (`src/systems/aws/kinds/*.toml`), one row of a table each: what boto3 sets up, the real
//! command line as an agent runs it, the undo, and what boto3 finds then. The rows of a service are one event, on one server
//! that all share. A kind without a row fails [`no_kind_is_without_a_row`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::scene::Scene;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Row {
    /// The kinds that it is about.
    kinds: Vec<String>,
    /// What is there before, by boto3. `out` names what it made: `{name}` in `run`, `name` in `look`.
    setup: String,
    /// Documents that the command reads.
    files: BTreeMap<String, String>,
    /// What the agent runs.
    run: String,
    /// What counts, by boto3.
    look: String,
    /// What `look` gives after the undo, where that is not what it gave before.
    after: String,
    /// `""`: it comes back. `asked`: only with --apply-infra. `part`: some of it. `never`: nothing does.
    undo: String,
    /// The weakest promise of its steps.
    back: String,
    /// What is named as lost, or why.
    lost: String,
    /// In an event of its own: its targets are only known when it runs.
    alone: bool,
    /// Text of its steps' resource where they have none of its names.
    resource: String,
    /// Why it cannot be run here.
    skip: String,
}

#[derive(Deserialize)]
struct File {
    row: Vec<Row>,
}

fn directory(of: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(of)
}

fn read(service: &str) -> Vec<Row> {
    let path = directory("tests/it/aws/rows").join(format!("{service}.toml"));
    let text = std::fs::read_to_string(&path).unwrap();
    toml::from_str::<File>(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display())).row
}

fn services() -> BTreeSet<String> {
    let names = std::fs::read_dir(directory("src/systems/aws/kinds")).unwrap();
    let stem = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let is_toml = path.extension().is_some_and(|end| end == "toml");
        is_toml.then(|| path.file_stem().unwrap().to_str().unwrap().to_owned())
    };
    names.filter_map(stem).collect()
}

#[test]
fn no_kind_is_without_a_row() {
    let (mut missing, mut skipped) = (Vec::new(), Vec::new());
    for service in services() {
        let rows = read(&service);
        let path = directory("src/systems/aws/kinds").join(format!("{service}.toml"));
        let known: toml::Table = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let text = |kind: &toml::Value, field: &str| kind[field].as_str().unwrap().to_owned();
        let kinds = known["kind"].as_array().unwrap().iter();
        let kinds: BTreeSet<String> =
            kinds.map(|k| format!("{}:{}", text(k, "service"), text(k, "name"))).collect();
        for row in &rows {
            assert!(row.kinds.iter().all(|kind| kinds.contains(kind)), "{service}: {:?}", row.kinds);
            if !row.skip.is_empty() {
                skipped.push(format!("{}: {}", row.kinds.join(", "), row.skip));
            }
        }
        let said: BTreeSet<String> = rows.iter().flat_map(|row| row.kinds.clone()).collect();
        missing.extend(kinds.difference(&said).cloned());
    }
    assert!(missing.is_empty(), "kinds that no row is about: {missing:?}");
    eprintln!("rows that cannot be run here: {}\n{}", skipped.len(), skipped.join("\n"));
    assert!(skipped.len() <= SKIPPED, "more rows are skipped than it is known of: {skipped:#?}");
}

/// How many rows moto cannot serve.
const SKIPPED: usize = 3;

/// A row with the names that are its own.
struct Own {
    row: Row,
    ns: String,
    ids: Value,
    before: Value,
}

impl Own {
    fn named(&self, text: &str) -> String {
        let mut text = text.replace("@NS", &self.ns);
        for (name, id) in self.ids.as_object().into_iter().flatten() {
            text = text.replace(&format!("{{{name}}}"), id.as_str().unwrap_or_default());
        }
        text
    }

    /// The lines of an undo about this row.
    fn told(&self, text: &str) -> String {
        let mine = text.lines().skip(1).filter(|line| self.is_in(line));
        mine.map(|line| format!("      {}\n", line.chars().take(500).collect::<String>())).collect()
    }

    /// A step of a plan is about this row.
    fn owns(&self, step: &Value) -> bool {
        self.is_in(step["resource"].as_str().unwrap_or_default())
    }

    fn is_in(&self, resource: &str) -> bool {
        let ids = self.ids.as_object().into_iter().flatten().filter_map(|(_, id)| id.as_str());
        let is_text = |text: &str| !text.is_empty() && resource.contains(text);
        is_text(&self.ns) || is_text(&self.row.resource) || ids.into_iter().any(is_text)
    }
}

/// Runs the scripts of rows in one process, and gives what each of them has put into `out`.
fn scripts(scene: &Scene, rows: &[Own], script: impl Fn(&Own) -> String) -> Vec<Result<Value, String>> {
    let asked: Vec<Value> = rows
        .iter()
        .map(|own| json!({"ns": own.ns, "ids": own.ids, "script": script(own).replace("@NS", &own.ns)}))
        .collect();
    let prelude = include_str!("rows/prelude.py");
    let asked = serde_json::to_string(&Value::from(asked)).unwrap();
    let text = format!("{prelude}\nout = run(json.loads({}))", serde_json::to_string(&asked).unwrap());
    let said = scene.python(&text);
    let each = said.as_array().unwrap().iter().map(|one| match one.get("error") {
        Some(error) => Err(error.as_str().unwrap_or_default().to_owned()),
        None => Ok(one["out"].clone()),
    });
    each.collect()
}

fn table(service: &str) {
    let Some(scene) = Scene::new() else { return };
    scene.setting("[caps]\naws_seconds = 120\n");
    // One of them by a word of it, while one works on it.
    let only = std::env::var("FR_ROW").unwrap_or_default();
    let chosen = |row: &Row| row.skip.is_empty() && (row.run.contains(&only) || only.is_empty());
    let rows: Vec<Row> = read(service).into_iter().filter(chosen).collect();
    let (alone, together): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.alone);
    let mut wrong = Vec::new();
    for rows in std::iter::once(together).chain(alone.into_iter().map(|row| vec![row])) {
        if !rows.is_empty() {
            wrong.extend(event(&scene, rows));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What went wrong with the rows of one event.
fn event(scene: &Scene, rows: Vec<Row>) -> Vec<String> {
    let own =
        |(at, row)| Own { row, ns: format!("{}r{at}x", scene.ns), ids: Value::Null, before: Value::Null };
    let mut rows: Vec<Own> = rows.into_iter().enumerate().map(own).collect();
    let mut wrong = Vec::new();
    for (at, made) in scripts(scene, &rows, |own| own.row.setup.clone()).into_iter().enumerate() {
        match made {
            Ok(ids) => rows[at].ids = ids,
            Err(e) => wrong.push(format!("{}: set-up: {e}", rows[at].row.run)),
        }
    }
    let look = |rows: &[Own]| scripts(scene, rows, |own| own.row.look.clone());
    for (at, before) in look(&rows).into_iter().enumerate() {
        rows[at].before = before.unwrap_or_else(|e| json!(format!("look: {e}")));
    }
    for own in &rows {
        for (name, text) in &own.row.files {
            scene.env.write(&own.named(name), own.named(text));
        }
    }
    let lines: Vec<String> = rows
        .iter()
        .map(|own| format!("{{ {}; }} >/dev/null || echo failed: {}", own.named(&own.row.run), own.ns))
        .collect();
    let line = if rows.len() == 1 { rows[0].named(&rows[0].row.run) } else { lines.join("\n") };
    let ran = scene.agent(&line);
    let changed = look(&rows);
    let id = scene.event()["id"].to_string();
    let plan = scene.env.fr(&["undo", &id, "--dry-run", "--json"]);
    let steps = match serde_json::from_str::<Value>(&plan.stdout) {
        Ok(plan) => steps_of(&plan),
        Err(_) => return vec![format!("no plan: {plan:?}\n{ran:?}")],
    };
    let first = scene.env.fr(&["undo", "--yes", &id]);
    let asked_for = look(&rows);
    let second = scene.env.fr(&["undo", "--yes", &id, "--apply-infra"]);
    let after = look(&rows);
    let wanted = scripts(scene, &rows, |own| {
        if own.row.after.is_empty() { "out = None".to_owned() } else { own.row.after.clone() }
    });
    for (at, own) in rows.iter().enumerate() {
        let found = judge(own, &changed[at], &asked_for[at], &after[at], &wanted[at], &steps);
        if ran.stdout.contains(&format!("failed: {}\n", own.ns)) {
            wrong.push(format!("{}: the command failed", own.named(&own.row.run)));
        }
        if !found.is_empty() {
            let told = [&first.stdout, &second.stdout].map(|text| own.told(text)).concat();
            wrong.push(format!(
                "{}\n    {}\n    told:\n{told}",
                own.named(&own.row.run),
                found.join("\n    ")
            ));
        }
    }
    if !wrong.is_empty() {
        let cut = |text: &str| text.chars().take(6000).collect::<String>();
        wrong.push(format!(
            "ran: {}\nundo: {}\nasked for: {}",
            cut(&ran.stderr),
            cut(&first.stderr),
            cut(&second.stderr)
        ));
    }
    wrong
}

/// The steps of a plan, which may have several parts.
fn steps_of(plan: &Value) -> Vec<Value> {
    match plan {
        Value::Object(fields) if fields.contains_key("resource") && fields.contains_key("verdict") => {
            vec![plan.clone()]
        }
        Value::Object(fields) => fields.values().flat_map(steps_of).collect(),
        Value::Array(list) => list.iter().flat_map(steps_of).collect(),
        _ => Vec::new(),
    }
}

type Looked = Result<Value, String>;

fn judge(
    own: &Own,
    changed: &Looked,
    first: &Looked,
    after: &Looked,
    wanted: &Looked,
    steps: &[Value],
) -> Vec<String> {
    let mut wrong = Vec::new();
    let row = &own.row;
    let mut check = |is: bool, what: &dyn Fn() -> String| {
        if !is {
            wrong.push(what());
        }
    };
    let text = |looked: &Looked| format!("{looked:?}");
    let before = Ok(own.before.clone());
    check(*changed != before, &|| format!("the command changed nothing: {}", own.before));
    let back = if row.after.is_empty() { before.clone() } else { wanted.clone() };
    match row.undo.as_str() {
        "" | "part" => {
            check(*first == back, &|| format!("not back: was {}\n    now {}", text(&back), text(first)))
        }
        "asked" => {
            check(first == changed, &|| format!("done without being asked for: {}", text(first)));
            check(*after == back, &|| format!("not back: was {}\n    now {}", text(&back), text(after)));
        }
        _ => check(after == changed, &|| format!("something was done: {}", text(after))),
    }
    let its: Vec<&Value> = steps.iter().filter(|step| own.owns(step)).collect();
    check(!its.is_empty(), &|| "no step is about it".to_owned());
    let rank = |step: &&Value| {
        let all = ["n/a", "exact", "state-only", "recreate", "compensating", "irreversible"];
        all.iter().position(|word| step["reversibility"] == *word).unwrap_or_default()
    };
    let worst = its.iter().max_by_key(|step| rank(step)).map(|step| step["reversibility"].clone());
    check(worst == Some(json!(row.back)), &|| format!("promised {worst:?}: {}", short(&its)));
    let said: String = its.iter().map(|step| step.to_string()).collect();
    check(said.contains(&row.lost), &|| format!("{} is not named: {}", row.lost, short(&its)));
    check(!said.contains("aws-secret"), &|| format!("a secret is in the plan: {said}"));
    wrong
}

fn short(steps: &[&Value]) -> String {
    let of = |step: &&Value| {
        let words =
            ["action", "verdict", "reason", "reversibility"].map(|field| step[field].as_str().unwrap_or("-"));
        format!("\n        {}", words.join(" | "))
    };
    steps.iter().map(of).collect()
}

macro_rules! tables {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            table(stringify!($name));
        }
    )*
    #[test]
    fn every_file_of_kinds_has_its_table() {
        let here: BTreeSet<String> = [$(stringify!($name).to_owned()),*].into();
        assert_eq!(here, services());
    }};
}

tables!(ec2 rds iam kms secretsmanager ssm route53 dynamodb lambda messages watch compute cloudformation efs s3);
