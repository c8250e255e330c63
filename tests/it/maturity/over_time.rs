//! How it went: measurements that were kept, and each month of the record.

use serde_json::{Value, json};

use super::{of, recorded, report, standing};
use crate::env::TestEnv;
use crate::json::fits;

const DAY: i64 = 86_400_000_000_000;
/// 2026-01-15T00:00:00Z.
const JANUARY: i64 = 1_768_435_200_000_000_000;

fn at(env: &mut TestEnv, ns: i64) {
    env.vars.retain(|(name, _)| name != "FR_FAKE_TIME");
    env.vars.push(("FR_FAKE_TIME".to_owned(), ns.to_string()));
}

fn trend(env: &TestEnv) -> Value {
    fits(&env.fr(&["maturity", "--trend", "--json"]).ok(), "maturity-trend")
}

#[test]
fn each_month_is_told_from_the_record_and_kept_levels_beside_it() {
    let mut env = recorded();
    at(&mut env, JANUARY);
    env.claude_runs("ls");
    env.write("x", "1");
    env.claude_runs("rm x");
    at(&mut env, JANUARY + 31 * DAY);
    env.write("x", "1");
    env.claude_runs("rm x");
    env.fr(&["undo", "--yes"]).ok();
    let call = env.claude_pre("kubectl delete ns a");
    env.claude_fail(&call, 1);
    let before = trend(&env);
    assert_eq!(before["points"], json!([]));
    let months = before["months"].as_array().unwrap();
    let row = |n: usize| {
        let fields = ["month", "commands", "destructive", "kept", "undos", "whole_undos"];
        fields.map(|name| months[n][name].clone())
    };
    assert_eq!(row(0), [json!("2026-01"), json!(2), json!(1), json!(1), json!(0), json!(0)]);
    assert_eq!(row(1), [json!("2026-02"), json!(2), json!(2), json!(1), json!(1), json!(1)]);

    let saved = report(&env, &["--save"]);
    let trend = trend(&env);
    let point = &trend["points"][0];
    assert_eq!((&point["level"], &point["event"]), (&saved["level"]["level"], &saved["saved"]));
    assert_eq!(point["at_ns"], json!(JANUARY + 31 * DAY));
    let shown = env.fr(&["maturity", "--trend"]).ok().stdout;
    assert!(shown.contains("2026-01") && shown.contains("level 1"), "{shown}");
    let event = env.fr(&["show", "--json", &point["event"].to_string()]).ok();
    assert_eq!(fits(&event, "event")["stood"]["figures"]["attributed"], 100_000);
    assert_eq!(env.fr(&["maturity", "--trend", "--save"]).code, 2);
    assert_eq!(env.fr(&["maturity", "--trend", "--format", "html"]).code, 2);
    assert_eq!(TestEnv::new().fr(&["maturity", "--trend"]).code, 10, "there is no store");
}

/// Two levels, the upper one by having held the lower.
const HELD: &str = r#"
version = 1
level = [{level = 0, name = "a", means = "a"}, {level = 1, name = "b", means = "b"}, {level = 2, name = "c", means = "c"}]
chapter = [{id = "all", title = "All", about = "a"}]
[[criterion]]
id = "seen"
title = "s"
chapter = "all"
level = 1
measure = "agent-commands"
at-least = 1
effort = 1
why = "w"
[[criterion]]
id = "held"
title = "h"
chapter = "all"
level = 2
measure = "held"
at-least = 180
effort = 1
why = "w"
"#;

#[test]
fn a_level_has_held_only_as_long_as_somebody_looked() {
    let mut env = recorded();
    at(&mut env, JANUARY);
    env.claude_runs("ls");
    std::fs::write(env.fr_home.join("maturity.toml"), HELD).unwrap();
    for month in 0..7 {
        at(&mut env, JANUARY + month * 30 * DAY);
        env.claude_runs("ls");
        report(&env, &["--save"]);
    }
    let last = report(&env, &[]);
    assert_eq!(
        (&last["level"]["level"], &of(&last, "held")["figure"]),
        (&json!(2), &json!(180.0)),
        "{last:#}"
    );
    // Nobody looks for six weeks: nothing is known of them.
    at(&mut env, JANUARY + 225 * DAY);
    env.claude_runs("ls");
    let (word, told) = standing(&env, "held");
    assert!(word == "not-met" && told.contains("nothing was measured for 45 days"), "{told}");
    // Another table is another level.
    at(&mut env, JANUARY + 181 * DAY);
    std::fs::write(env.fr_home.join("maturity.toml"), HELD.replace("\"w\"", "\"v\"")).unwrap();
    assert_eq!(standing(&env, "held").0, "not-met");
}
