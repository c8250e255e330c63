//! Who may read an object: its access list. Where the bucket's owner owns all objects (what new buckets have since April 2023)
//! there are none, and nobody is asked for them.

use serde_json::{Map, Value, json};

use super::restore::name_of;
use crate::systems::aws::cli::{Call, Cli, Refusal, Reply};

/// What a put is told of each permission. Writing is none that an object has.
const PARAMETERS: &[(&str, &str)] = &[
    ("FULL_CONTROL", "GrantFullControl"),
    ("READ", "GrantRead"),
    ("READ_ACP", "GrantReadACP"),
    ("WRITE_ACP", "GrantWriteACP"),
];
/// Codes of services and buckets that know no such lists.
const NONE: &[&str] = &[
    "NotImplemented",
    "MethodNotAllowed",
    "AccessControlListNotSupported",
    "UnknownOperation",
    "501",
    "405",
];

/// The operation that tells whether objects of a bucket have lists.
pub fn ownership(bucket: &str) -> Call {
    Call::new("s3api", "get-bucket-ownership-controls", json!({"Bucket": bucket}))
}

/// Objects of the bucket have lists of their own, as far as the answer to [`ownership`] tells.
pub fn has_lists(reply: &Reply) -> bool {
    let rules = reply.as_ref().ok().and_then(|answer| answer["OwnershipControls"]["Rules"].as_array());
    !rules.into_iter().flatten().any(|rule| rule["ObjectOwnership"] == "BucketOwnerEnforced")
}

/// What of a list counts, in an order of its own: nothing where all is the owner's.
pub fn counted(acl: &Value) -> Value {
    let mut grants = acl["Grants"].as_array().cloned().unwrap_or_default();
    let is_owners =
        |grant: &Value| grant["Permission"] == "FULL_CONTROL" && grant["Grantee"]["ID"] == acl["Owner"]["ID"];
    if grants.iter().all(is_owners) {
        grants.clear();
    }
    grants.sort_by_key(Value::to_string);
    Value::from(grants)
}

/// A list as it is kept. The other: why it cannot be read. Neither where there is none.
pub fn kept(reply: Option<&Reply>) -> (Option<Value>, Option<String>) {
    match reply {
        Some(Ok(acl)) => (Some(counted(acl)), None),
        Some(Err(refusal)) if NONE.contains(&refusal.code.as_str()) => (None, None),
        Some(Err(refusal)) => (None, Some(refusal.shown())),
        None => (None, None),
    }
}

/// The parameters of a put that give an object this list.
pub fn parameters(grants: &Value) -> Map<String, Value> {
    let mut out: Map<String, Value> = Map::new();
    for grant in grants.as_array().into_iter().flatten() {
        let permission = PARAMETERS.iter().find(|(permission, _)| grant["Permission"] == *permission);
        let grantee = &grant["Grantee"];
        let to = [("ID", "id"), ("URI", "uri"), ("EmailAddress", "emailAddress")]
            .iter()
            .find_map(|(field, word)| Some(format!("{word}=\"{}\"", grantee[*field].as_str()?)));
        let (Some((_, parameter)), Some(to)) = (permission, to) else { continue };
        let all = match out.get(*parameter).and_then(Value::as_str) {
            Some(others) => format!("{others},{to}"),
            None => to,
        };
        out.insert((*parameter).to_owned(), Value::from(all));
    }
    out
}

fn without(call: &Call) -> Option<Call> {
    let mut other = call.clone();
    let fields = other.input.as_object_mut()?;
    let count = fields.len();
    PARAMETERS.iter().for_each(|(_, parameter)| drop(fields.remove(*parameter)));
    (fields.len() < count).then_some(other)
}

/// Sends puts. One that the service refuses with its list is sent without: the object is worth more. Their answers, and what did
/// not come back.
///
/// # Errors
/// Where AWS is not reached.
pub fn put(cli: &Cli, calls: &[Call]) -> crate::error::Result<(Vec<Reply>, Vec<String>)> {
    let mut replies = cli.ask_all(calls)?.replies;
    let again: Vec<(usize, Call, Refusal)> = calls
        .iter()
        .zip(&replies)
        .enumerate()
        .filter_map(|(at, (call, reply))| Some((at, without(call)?, reply.as_ref().err()?.clone())))
        .collect();
    let mut lost = Vec::new();
    if !again.is_empty() {
        let plain: Vec<Call> = again.iter().map(|(_, call, _)| call.clone()).collect();
        for ((at, call, why), reply) in again.into_iter().zip(cli.ask_all(&plain)?.replies) {
            if reply.is_ok() {
                lost.push(format!(
                    "{}: it is back, and who may read it is not: {}",
                    name_of(&call),
                    why.shown()
                ));
            }
            if let Some(place) = replies.get_mut(at) {
                *place = reply;
            }
        }
    }
    Ok((replies, lost))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_kept_and_given_again_but_for_the_owners_own() {
        let owner = json!({"Grantee": {"ID": "me", "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"});
        let mine = json!({"Owner": {"ID": "me"}, "Grants": [owner]});
        assert_eq!((counted(&mine), parameters(&counted(&mine)).len()), (json!([]), 0));
        let everybody = json!({"Grantee": {"URI": "http://all", "Type": "Group"}, "Permission": "READ"});
        let other = json!({"Grantee": {"ID": "you", "Type": "CanonicalUser"}, "Permission": "READ"});
        let acl = json!({"Owner": {"ID": "me"}, "Grants": [other, owner, everybody]});
        let told = Value::Object(parameters(&counted(&acl)));
        let wanted = json!({"GrantFullControl": "id=\"me\"", "GrantRead": "id=\"you\",uri=\"http://all\""});
        assert_eq!(told, wanted);
        let enforced = json!({"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}});
        let denied = || Refusal { code: "AccessDenied".into(), message: String::new() };
        assert!(!has_lists(&Ok(enforced)) && has_lists(&Err(denied())));
        assert!(kept(Some(&Err(denied()))).1.is_some());
    }
}
