//! An agent's commands carry their origin to the other side: in the fields that the tools document for it, and only
//! there. What a person runs carries nothing, and what the user has set stays.
//!
//! It is a claim, as every user agent is: the agent could unset it. `docs/attribution.md` lists where it shows up.

use std::ffi::OsString;

use super::{Env, text};

/// A variable that a tool sends along.
struct Field {
    variable: &'static str,
    programs: &'static [&'static str],
    /// The most bytes that the other side keeps.
    max: usize,
}

const FIELDS: &[Field] = &[
    // AWS SDK reference, "Application ID": at most 50 characters; shows in CloudTrail's userAgent as app/….
    Field { variable: "AWS_SDK_UA_APP_ID", programs: &["aws", "terraform", "tofu"], max: 50 },
    // terraform internal/httpclient/useragent.go; the AWS provider (aws-sdk-go-base) reads it too.
    Field { variable: "TF_APPEND_USER_AGENT", programs: &["terraform", "tofu"], max: 100 },
    // The Google provider's documentation: for "compliance through audit logs".
    Field { variable: "GOOGLE_TERRAFORM_USERAGENT_EXTENSION", programs: &["terraform", "tofu"], max: 100 },
    // libpq: application_name, NAMEDATALEN - 1 bytes.
    Field { variable: "PGAPPNAME", programs: &["psql"], max: 63 },
    // Azure CLI and SDKs append it to their user agent.
    Field { variable: "AZURE_HTTP_USER_AGENT", programs: &["az"], max: 100 },
    // git, api-trace2: the session id of the parent; sent to servers with transfer.advertiseSID.
    Field { variable: "GIT_TRACE2_PARENT_SID", programs: &["git", "gh"], max: 100 },
    // gcloud's metrics/environment property: part of its user agent.
    Field { variable: "CLOUDSDK_METRICS_ENVIRONMENT", programs: &["gcloud"], max: 100 },
];

/// `fr-<agent>-<session>`, in the characters that all fields take.
fn value(agent: &str, session: &str, max: usize) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '-' };
    format!("fr-{agent}-{session}").chars().map(plain).take(max).collect()
}

/// The variables for one program that an agent runs.
pub fn for_program(program: &str, agent: &str, session: &str, env: &Env) -> Vec<(&'static str, OsString)> {
    marks(|field| field.programs.contains(&program), agent, session, env)
}

/// The variables for everything that an agent runs.
pub fn for_all(agent: &str, session: &str, env: &Env) -> Vec<(&'static str, OsString)> {
    marks(|_| true, agent, session, env)
}

/// True where a program has a field.
pub fn has_field(program: &str) -> bool {
    FIELDS.iter().any(|field| field.programs.contains(&program))
}

fn marks(
    wanted: impl Fn(&Field) -> bool,
    agent: &str,
    session: &str,
    env: &Env,
) -> Vec<(&'static str, OsString)> {
    let fields = FIELDS.iter().filter(|field| wanted(field) && is_free(field, env));
    fields.map(|field| (field.variable, value(agent, session, field.max).into())).collect()
}

/// Unset, or set by us: `fr run` knows the agent, a shim knows the session too. A git inside of git has the outer one's
/// id behind ours, with a slash.
fn is_free(field: &Field, env: &Env) -> bool {
    match text(env, field.variable) {
        Some(set) => set.starts_with("fr-") && !set.contains('/'),
        None => !env.contains_key(field.variable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fit_their_fields() {
        let session = "5e551011-0000-4000-8000-000000000001";
        let marks = for_program("aws", "claude", session, &Env::new());
        assert_eq!(marks, [("AWS_SDK_UA_APP_ID", format!("fr-claude-{session}").into())]);
        let long = for_all("opencode", &"sess/ion é ".repeat(20), &Env::new());
        for (variable, value) in long {
            let value = value.into_string().unwrap();
            assert!(value.len() <= if variable == "AWS_SDK_UA_APP_ID" { 50 } else { 100 }, "{variable}");
            assert!(value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)), "{value}");
        }
    }

    #[test]
    fn what_is_set_stays() {
        let env = |value: &str| Env::from([("PGAPPNAME".to_string(), value.into())]);
        for mine in ["nightly", "", "fr-x/20261126T000000Z-H1-P2"] {
            assert_eq!(for_program("psql", "claude", "s", &env(mine)), [], "{mine:?}");
        }
        let ours = for_program("psql", "claude", "s", &env("fr-claude-run-1"));
        assert_eq!(ours, [("PGAPPNAME", "fr-claude-s".into())]);
        assert_eq!(for_program("rm", "claude", "s", &Env::new()), []);
    }
}
