//! The table of criteria is data: other words, other thresholds, and what does not hold together is refused.

use serde_json::json;

use super::{of, recorded, report};

const OWN: &str = r#"
version = 1
[[level]]
level = 0
name = "Nothing"
means = "n"
[[level]]
level = 1
name = "Level One <b>"
means = "m"
[[chapter]]
id = "all"
title = "All of it"
about = "a"
[[criterion]]
id = "seen"
title = "Seen"
chapter = "all"
level = 1
measure = "agent-commands"
at-least = 2
effort = 1
why = "w"
next = "ls"
"#;

#[test]
fn another_table_is_in_force_as_a_file() {
    let env = recorded();
    env.claude_runs("ls");
    let built_in = report(&env, &[]);
    assert_eq!(built_in["table"], "built in");
    let file = env.fr_home.join("maturity.toml");
    std::fs::write(&file, OWN).unwrap();
    let own = report(&env, &[]);
    assert_eq!((&own["table"], &own["level"]["name"]), (&json!(file.to_str()), &json!("Nothing")));
    assert_eq!(own["criteria"].as_array().unwrap().len(), 1);
    assert_eq!(of(&own, "seen")["value"], "1");
    assert_ne!(own["table_hash"], built_in["table_hash"]);
    env.claude_runs("ls");
    assert_eq!(report(&env, &[])["level"]["name"], "Level One <b>");
    assert!(!env.fr(&["maturity", "--format", "html"]).ok().stdout.contains("One <b>"));
}

#[test]
fn a_table_that_does_not_hold_together_is_no_table() {
    let env = recorded();
    env.claude_runs("ls");
    let file = env.fr_home.join("maturity.toml");
    for (text, says) in [
        (OWN.replace("agent-commands", "gut-feeling"), "nothing measures \"gut-feeling\""),
        (OWN.replace("at-least = 2", "at-least = \"two\""), "line 21"),
        (OWN.replace("level = 1\nmeasure", "level = 2\nmeasure"), "no level 2"),
        ("x".to_owned(), "line 1"),
    ] {
        std::fs::write(&file, text).unwrap();
        let said = env.fr(&["maturity"]);
        assert!(said.code == 1 && said.stderr.contains(says), "{says}: {said:?}");
        assert!(said.stderr.contains("maturity.toml"), "{said:?}");
    }
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert_eq!(env.fr(&["maturity"]).code, 1);
}

/// `docs/maturity.md` names every criterion with its level and its threshold, and every measure.
#[test]
fn the_page_about_it_names_every_criterion_of_the_table() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/maturity.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let text = include_str!("../../../schema/maturity.toml");
    let table: toml::Value = toml::from_str(text).unwrap();
    let word =
        |one: &toml::Value, name: &str| one.get(name).map(|v| v.to_string().trim_matches('"').to_owned());
    for one in table["criterion"].as_array().unwrap() {
        let (id, level) = (word(one, "id").unwrap(), word(one, "level").unwrap());
        let how = match (word(one, "measure"), word(one, "at-least"), word(one, "at-most")) {
            (Some(measure), Some(least), _) => format!("`{measure}` at least {least}"),
            (Some(measure), _, Some(most)) => format!("`{measure}` at most {most}"),
            (Some(measure), None, None) => format!("`{measure}`"),
            (None, _, _) => "people vouch".to_owned(),
        };
        let row = format!("| {level} | `{id}` | {} | {how} |", word(one, "title").unwrap());
        assert!(docs.contains(&row), "not in docs/maturity.md: {row}");
    }
    for one in table["level"].as_array().unwrap() {
        let row = format!(
            "| {} | {} | {} |",
            word(one, "level").unwrap(),
            word(one, "name").unwrap(),
            word(one, "means").unwrap()
        );
        assert!(docs.contains(&row), "not in docs/maturity.md: {row}");
    }
}
