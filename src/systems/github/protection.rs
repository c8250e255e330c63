//! Branch protection is read in one form and written in another (docs.github.com/rest/branches/branch-protection).

use serde_json::{Value, json};

/// What has to be sent so that a branch is protected as described.
pub fn wanted(found: &Value) -> Value {
    let on =
        |name: &str| found.pointer(&format!("/{name}/enabled")).and_then(Value::as_bool).unwrap_or(false);
    json!({
        "required_status_checks": checks(found),
        "enforce_admins": on("enforce_admins"),
        "required_pull_request_reviews": reviews(found),
        "restrictions": found.get("restrictions").filter(|r| r.is_object()).map(who),
        "required_linear_history": on("required_linear_history"),
        "allow_force_pushes": on("allow_force_pushes"),
        "allow_deletions": on("allow_deletions"),
        "block_creations": on("block_creations"),
        "required_conversation_resolution": on("required_conversation_resolution"),
        "lock_branch": on("lock_branch"),
        "allow_fork_syncing": on("allow_fork_syncing"),
    })
}

fn checks(found: &Value) -> Option<Value> {
    let set = found.get("required_status_checks").filter(|set| set.is_object())?;
    let list = set.get("checks").and_then(Value::as_array).into_iter().flatten();
    let check = |one: &Value| json!({ "context": one.get("context"), "app_id": one.get("app_id") });
    let mut list: Vec<Value> = list.map(check).collect();
    if list.is_empty() {
        let names = set.get("contexts").and_then(Value::as_array).into_iter().flatten();
        list = names.map(|name| json!({ "context": name })).collect();
    }
    list.sort_by_key(Value::to_string);
    Some(json!({ "strict": set.get("strict").and_then(Value::as_bool).unwrap_or(false), "checks": list }))
}

fn reviews(found: &Value) -> Option<Value> {
    let set = found.get("required_pull_request_reviews").filter(|set| set.is_object())?;
    let on = |name: &str| set.get(name).and_then(Value::as_bool).unwrap_or(false);
    let mut out = json!({
        "dismiss_stale_reviews": on("dismiss_stale_reviews"),
        "require_code_owner_reviews": on("require_code_owner_reviews"),
        "require_last_push_approval": on("require_last_push_approval"),
        "required_approving_review_count": set.get("required_approving_review_count"),
    });
    // Only an organization's repository has these; others refuse them even when they are empty.
    for name in ["dismissal_restrictions", "bypass_pull_request_allowances"] {
        if let (Some(list), Some(out)) = (set.get(name).filter(|l| l.is_object()), out.as_object_mut()) {
            out.insert(name.to_owned(), who(list));
        }
    }
    Some(out)
}

fn who(list: &Value) -> Value {
    let names = |of: &str, field: &str| {
        let all = list.get(of).and_then(Value::as_array).into_iter().flatten();
        let mut all: Vec<String> =
            all.filter_map(|one| one.get(field)?.as_str().map(str::to_owned)).collect();
        all.sort();
        all
    };
    json!({ "users": names("users", "login"), "teams": names("teams", "slug"), "apps": names("apps", "slug") })
}

/// Whether commits have to be signed has a request of its own.
pub fn signed(found: &Value) -> bool {
    found.pointer("/required_signatures/enabled").and_then(Value::as_bool).unwrap_or(false)
}
