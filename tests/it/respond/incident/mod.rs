//! An incident from the first look to the report: what belongs to it, what people write down, that gc leaves it alone, and
//! that its report holds no secret and no markup of others.

mod founding;
mod hostile;
mod keep;
mod page;
mod recovered;
mod story;

use serde_json::Value;

use crate::env::TestEnv;

/// The report as JSON, held to its schema.
#[track_caller]
pub fn report(env: &TestEnv, id: &str) -> Value {
    crate::json::fits(&env.fr(&["incident", "report", id, "--format", "json"]).ok(), "incident-report")
}

/// The metric of that name.
#[track_caller]
pub fn metric<'v>(report: &'v Value, name: &str) -> &'v Value {
    let all = report["metrics"].as_array().unwrap();
    all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name}: {report:#}"))
}

/// The row of the recovery table whose target contains this.
#[track_caller]
pub fn row<'v>(report: &'v Value, word: &str) -> &'v Value {
    let all = report["recovery"].as_array().unwrap();
    let is = |one: &&Value| one["target"].as_str().unwrap().contains(word);
    all.iter().find(is).unwrap_or_else(|| panic!("no {word}: {report:#}"))
}

/// A clock that goes on when told, from 2026-01-02T03:04:05Z.
pub struct Clock(pub i64);

impl Clock {
    pub fn new(env: &mut TestEnv) -> Clock {
        let mut clock = Clock(1_767_323_045_000_000_000);
        clock.pass(env, 0);
        clock
    }

    /// So many seconds later.
    pub fn pass(&mut self, env: &mut TestEnv, seconds: i64) {
        self.0 += seconds * 1_000_000_000;
        env.vars.retain(|(name, _)| name != "FR_FAKE_TIME");
        env.vars.push(("FR_FAKE_TIME".to_owned(), self.0.to_string()));
    }
}
