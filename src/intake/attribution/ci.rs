//! Which job of a CI system: ids and addresses that lead from the record to the job's own log.
//! The variables are those that each system documents for its jobs.

use crate::intake::{Env, text};

/// The longest evidence.
const MAX: usize = 300;

/// The job's own name for itself, and where to see it.
pub fn job(ci: &str, env: &Env) -> Option<String> {
    let get = |name: &str| text(env, name);
    let found = match ci {
        "github-actions" => {
            let (server, repo) = (get("GITHUB_SERVER_URL")?, get("GITHUB_REPOSITORY")?);
            let run = get("GITHUB_RUN_ID")?;
            let attempt = get("GITHUB_RUN_ATTEMPT").map(|n| format!("/attempts/{n}")).unwrap_or_default();
            let name = get("GITHUB_JOB").map(|name| format!("job {name}, ")).unwrap_or_default();
            format!("{name}{server}/{repo}/actions/runs/{run}{attempt}")
        }
        "gitlab" => either(get("CI_JOB_URL"), get("CI_JOB_ID"))?,
        "jenkins" => either(get("BUILD_URL"), get("BUILD_TAG"))?,
        "circleci" => either(get("CIRCLE_BUILD_URL"), get("CIRCLE_WORKFLOW_JOB_ID"))?,
        "buildkite" => match (get("BUILDKITE_BUILD_URL"), get("BUILDKITE_JOB_ID")) {
            (Some(url), Some(job)) => format!("{url}#{job}"),
            (url, job) => either(url, job)?,
        },
        "azure-pipelines" => {
            let (server, project) = (get("SYSTEM_COLLECTIONURI")?, get("SYSTEM_TEAMPROJECT")?);
            let build = get("BUILD_BUILDID")?;
            format!("{}/{project}/_build/results?buildId={build}", server.trim_end_matches('/'))
        }
        _ => return None,
    };
    Some(found.chars().filter(|c| !c.is_control()).take(MAX).collect())
}

fn either(first: Option<&str>, second: Option<&str>) -> Option<String> {
    first.or(second).map(str::to_string)
}

/// The session of a job: all its commands belong together.
pub fn session(ci: &str, env: &Env) -> Option<String> {
    let id = match ci {
        "github-actions" => {
            let attempt = text(env, "GITHUB_RUN_ATTEMPT").unwrap_or("1");
            format!("{}.{attempt}-{}", text(env, "GITHUB_RUN_ID")?, text(env, "GITHUB_JOB").unwrap_or("job"))
        }
        "gitlab" => text(env, "CI_JOB_ID")?.to_string(),
        "jenkins" => text(env, "BUILD_TAG")?.to_string(),
        "circleci" => text(env, "CIRCLE_WORKFLOW_JOB_ID")?.to_string(),
        "buildkite" => text(env, "BUILDKITE_JOB_ID")?.to_string(),
        "azure-pipelines" => text(env, "SYSTEM_JOBID").or_else(|| text(env, "BUILD_BUILDID"))?.to_string(),
        _ => return None,
    };
    Some(format!("{ci}-{}", id.chars().filter(|c| !c.is_control()).take(MAX).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        pairs.iter().map(|(name, value)| ((*name).to_string(), (*value).into())).collect()
    }

    #[test]
    fn each_system_tells_its_job() {
        let github = env(&[
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "o/r"),
            ("GITHUB_RUN_ID", "99"),
            ("GITHUB_RUN_ATTEMPT", "2"),
            ("GITHUB_JOB", "test"),
        ]);
        let url = "job test, https://github.com/o/r/actions/runs/99/attempts/2";
        assert_eq!(job("github-actions", &github).as_deref(), Some(url));
        assert_eq!(session("github-actions", &github).as_deref(), Some("github-actions-99.2-test"));
        let azure = env(&[
            ("SYSTEM_COLLECTIONURI", "https://dev.azure.com/o/"),
            ("SYSTEM_TEAMPROJECT", "p"),
            ("BUILD_BUILDID", "7"),
        ]);
        let url = "https://dev.azure.com/o/p/_build/results?buildId=7";
        assert_eq!(job("azure-pipelines", &azure).as_deref(), Some(url));
        for (ci, name, value) in [
            ("gitlab", "CI_JOB_URL", "https://gitlab.example/o/r/-/jobs/5"),
            ("jenkins", "BUILD_URL", "https://ci.example/job/x/5/"),
            ("circleci", "CIRCLE_BUILD_URL", "https://circleci.com/gh/o/r/5"),
            ("buildkite", "BUILDKITE_BUILD_URL", "https://buildkite.com/o/p/builds/5"),
        ] {
            assert_eq!(job(ci, &env(&[(name, value)])).as_deref(), Some(value));
            assert_eq!(job(ci, &Env::new()), None);
        }
    }
}
