//! Listings of buckets: the latest version of each object, its older ones, and the marks of deletion.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::target::Which;
use crate::systems::aws::cli::{Call, Fetch, Refusal, Reply};
use crate::systems::aws::snapshot::Listed;

/// The most objects that are listed one by one.
const FEW: usize = 8;

/// A version, or a mark of deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its id.
    pub id: String,
    /// When it came.
    pub modified: String,
    /// Nothing is newer.
    pub latest: bool,
}

/// What a bucket holds.
#[derive(Debug, Default)]
pub struct Listing {
    /// What is there now. The version is empty where the bucket would not keep it.
    pub current: BTreeMap<String, Listed>,
    /// All versions of each object.
    pub versions: BTreeMap<String, Vec<Version>>,
    /// Marks of deletion.
    pub marks: BTreeMap<String, Vec<Version>>,
    /// What was fetched with the listing.
    pub fetched: BTreeMap<String, Fetched>,
}

/// An object that was fetched with its listing.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// What its get has told, or why it was refused.
    pub head: Reply,
    /// The file that holds its content.
    pub file: PathBuf,
    /// The size of its first part.
    pub part: Option<u64>,
    /// Its tags.
    pub tags: Value,
    /// Its access list, where objects of the bucket have some.
    pub acl: Option<Reply>,
}

/// The operations that list them: whether versions are kept, then the versions.
pub fn calls(bucket: &str, which: &Which, fetch: Option<&Fetch>) -> Vec<Call> {
    let list = |prefix: &str, one_page: bool| Call {
        one_page,
        fetch: fetch.cloned(),
        ..Call::new("s3api", "list-object-versions", json!({"Bucket": bucket, "Prefix": prefix}))
    };
    let mut out = vec![Call::new("s3api", "get-bucket-versioning", json!({"Bucket": bucket}))];
    match which.names() {
        // Keys are listed in order: the versions of a key come before those that only begin with it.
        Some(names) if names.len() <= FEW => out.extend(names.iter().map(|name| list(name, true))),
        Some(names) => out.push(list(&common(names.iter().map(String::as_str)), false)),
        None => match which {
            Which::Prefix(prefix) => out.push(list(prefix, false)),
            Which::Keys(_) | Which::Versions(_) => {}
        },
    }
    out
}

impl Listing {
    /// By the answers to [`calls`], of which there may be more behind.
    ///
    /// # Errors
    /// The reason, for people. That the bucket is not there is an answer: it holds nothing.
    pub fn of(which: &Which, replies: &[Reply]) -> Result<Listing, String> {
        let count = match which.names() {
            Some(names) if names.len() <= FEW => names.len(),
            _ => 1,
        };
        let mut out = Listing::default();
        let status = match replies.first() {
            Some(Ok(answer)) => answer["Status"].as_str().unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        for reply in replies.get(1..=count).unwrap_or_default() {
            match reply {
                Ok(answer) => out.add(answer, status == "Enabled"),
                Err(refusal) if refusal.code == "NoSuchBucket" => {}
                Err(refusal) => return Err(refusal.shown()),
            }
        }
        Ok(out)
    }

    fn add(&mut self, answer: &Value, keeps: bool) {
        for entry in answer["Versions"].as_array().into_iter().flatten() {
            let Some(name) = entry["Key"].as_str() else { continue };
            let version = version(entry);
            if version.latest {
                // An object from before versions were switched on is kept as `null`, while they are on.
                let kept = version.id != "null" || keeps;
                let listed = Listed {
                    fresh: is_fresh(&version.modified),
                    modified: version.modified.clone(),
                    etag: entry["ETag"].as_str().unwrap_or_default().trim_matches('"').to_owned(),
                    size: entry["Size"].as_u64().unwrap_or_default(),
                    version: if kept { version.id.clone() } else { String::new() },
                    part: None,
                };
                self.current.insert(name.to_owned(), listed);
            }
            self.versions.entry(name.to_owned()).or_default().push(version);
        }
        for (name, one) in answer["Fetched"].as_object().into_iter().flatten() {
            let text = |field: &str| one[field].as_str().unwrap_or_default().to_owned();
            let head = match one.get("answer") {
                Some(head) => Ok(head.clone()),
                None => Err(Refusal { code: text("code"), message: text("message") }),
            };
            let fetched = Fetched {
                head,
                file: text("file").into(),
                part: one["part"].as_u64(),
                tags: one["tags"].clone(),
                acl: one.get("acl").map(|acl| match acl.get("refused") {
                    Some(code) => {
                        let code = code.as_str().unwrap_or_default().to_owned();
                        Err(Refusal { code, message: "its access list cannot be read".to_owned() })
                    }
                    None => Ok(acl.clone()),
                }),
            };
            self.fetched.insert(name.clone(), fetched);
        }
        for entry in answer["DeleteMarkers"].as_array().into_iter().flatten() {
            let Some(name) = entry["Key"].as_str() else { continue };
            self.marks.entry(name.to_owned()).or_default().push(version(entry));
        }
    }
}

fn version(entry: &Value) -> Version {
    Version {
        id: entry["VersionId"].as_str().unwrap_or("null").to_owned(),
        modified: entry["LastModified"].as_str().unwrap_or_default().to_owned(),
        latest: entry["IsLatest"].as_bool().unwrap_or_default(),
    }
}

/// Times are told in seconds: what was written within the last few may be written once more in the same one.
fn is_fresh(modified: &str) -> bool {
    const GRAIN: i64 = 3;
    let then = chrono::DateTime::parse_from_rfc3339(modified).map(|then| then.timestamp());
    then.map_or(true, |then| chrono::Utc::now().timestamp() - then <= GRAIN)
}

/// What all keys begin with.
fn common<'k>(mut names: impl Iterator<Item = &'k str>) -> String {
    let Some(mut front) = names.next() else { return String::new() };
    for name in names {
        let same = front.char_indices().zip(name.chars()).find(|((_, a), b)| a != b).map(|((at, _), _)| at);
        let end = same.unwrap_or(front.len().min(name.len()));
        front = front.get(..end).unwrap_or_default();
    }
    front.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keys_have_in_common() {
        assert_eq!(common(["logs/a", "logs/b"].into_iter()), "logs/");
        assert_eq!(common(["é/a", "è/a"].into_iter()), "");
        assert_eq!(common(["a", "a/b"].into_iter()), "a");
        assert_eq!(common(std::iter::empty()), "");
    }

    #[test]
    fn a_version_counts_only_where_the_bucket_keeps_it() {
        let answer = json!({"Versions": [
            {"Key": "a", "VersionId": "null", "IsLatest": true, "ETag": "\"x\"", "Size": 3, "LastModified": "1"},
            {"Key": "b", "VersionId": "v2", "IsLatest": true, "ETag": "\"y\"", "Size": 4, "LastModified": "2"},
            {"Key": "b", "VersionId": "v1", "IsLatest": false, "ETag": "\"z\"", "Size": 4, "LastModified": "1"},
        ], "DeleteMarkers": [{"Key": "c", "VersionId": "m", "IsLatest": true, "LastModified": "3"}]});
        let of = |status: Value| {
            Listing::of(&Which::Prefix(String::new()), &[Ok(status), Ok(answer.clone())]).unwrap()
        };
        let (off, on) = (of(json!({})), of(json!({"Status": "Enabled"})));
        assert_eq!((off.current["a"].version.as_str(), on.current["a"].version.as_str()), ("", "null"));
        assert_eq!((on.current["b"].version.as_str(), on.versions["b"].len()), ("v2", 2));
        assert!(on.marks["c"][0].latest && !on.current.contains_key("c"));
    }
}
