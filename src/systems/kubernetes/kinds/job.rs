//! Jobs. The server gives a job a selector by its own uid, and its pods the label for it. One that has finished would run
//! again.

use serde_json::Value;

use super::{Kind, Object};
use crate::systems::kubernetes::object::Key;

const UID_LABELS: &[&str] = &["controller-uid", "batch.kubernetes.io/controller-uid"];

pub struct Job;

impl Job {
    fn without_uid(object: &mut Object) {
        for labels in ["/metadata/labels", "/spec/template/metadata/labels", "/spec/selector/matchLabels"] {
            object.remove(labels, UID_LABELS);
        }
        let manual = object.value.pointer("/spec/manualSelector").and_then(Value::as_bool) == Some(true);
        if !manual {
            object.remove("/spec", &["selector"]);
        }
    }
}

impl Kind for Job {
    fn is(&self, key: &Key) -> bool {
        key.is("batch", "Job")
    }
    fn normalise(&self, object: &mut Object) {
        Job::without_uid(object);
    }
    fn strip(&self, object: &mut Object) {
        Job::without_uid(object);
    }
    fn must_not_return(&self, object: &Object) -> Option<&'static str> {
        let done =
            object.value.pointer("/status/conditions").and_then(Value::as_array).is_some_and(|conditions| {
                conditions.iter().any(|c| {
                    let is = |key: &str, value: &str| c.get(key).and_then(Value::as_str) == Some(value);
                    is("status", "True") && (is("type", "Complete") || is("type", "Failed"))
                })
            });
        done.then_some("it had finished, and a new one would run again")
    }
    fn lost(&self, object: &Object) -> Vec<String> {
        let started = object.value.pointer("/status/startTime").is_some();
        if started {
            vec![format!("the progress of {}: it starts again", object.key.short())]
        } else {
            Vec::new()
        }
    }
}
