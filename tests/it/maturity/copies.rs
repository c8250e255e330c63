//! The agent's machine burns. What of its record is elsewhere is read from the copy itself, and nobody's word counts for it.

use serde_json::json;

use super::{next, of, recorded, report, standing};
use crate::aws;

/// What somebody's nightly job does.
fn copy(scene: &aws::scene::Scene, to: &str) {
    let line = format!("aws --endpoint-url $AWS_ENDPOINT_URL s3 sync --only-show-errors $FR_HOME {to}");
    scene.env.sh(&line).ok();
}

/// A copy in a bucket: whole, then behind, then of another store, then gone.
#[test]
fn a_copy_in_a_bucket_is_as_old_as_what_it_lacks() {
    let Some(mut scene) = aws::scene::Scene::new() else { return };
    scene.env.write("docs/a", "a");
    scene.env.claude_runs("rm -rf docs");
    assert_eq!(standing(&scene.env, "store-copied").0, "unknown", "nobody has said where a copy is");
    let to = scene.named("s3://copies-NS/fr");
    scene.env.fr(&["config", "set", "copy.to", &to]).ok();
    scene.python("c('s3').create_bucket(Bucket='copies-NS')");
    let (word, told) = standing(&scene.env, "store-copied");
    assert!(word == "unknown" && told.contains("there is no journal of a store"), "{word}: {told}");

    copy(&scene, &to);
    let (word, told) = standing(&scene.env, "store-copied");
    assert!(word == "met" && told.contains("it lacks nothing"), "{word}: {told}");
    // A day has eight days' worth of events that are not in it.
    scene.env.claude_runs("ls");
    assert_eq!(standing(&scene.env, "store-copied").0, "met", "a moment old");
    let later = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos()
        + 8 * 86_400_000_000_000;
    scene.env.vars.push(("FR_FAKE_TIME".to_owned(), later.to_string()));
    let (word, told) = standing(&scene.env, "store-copied");
    assert!(
        word == "not-met" && told.contains("the first event that it lacks is 8.0 days old"),
        "{word}: {told}"
    );
    copy(&scene, &to);
    assert_eq!(standing(&scene.env, "store-copied").0, "met");

    // What was kept is not in it: nothing would come back.
    scene.env.sh(&format!("aws --endpoint-url $AWS_ENDPOINT_URL s3 rm --quiet --recursive {to}/packs")).ok();
    let (word, told) = standing(&scene.env, "store-copied");
    assert!(word == "unknown" && told.contains("which holds what was kept, is missing"), "{word}: {told}");
    copy(&scene, &to);
    // Another store's journal.
    scene.env.sh(&format!("head -c 4000 /dev/zero | aws --endpoint-url $AWS_ENDPOINT_URL s3 cp --only-show-errors - {to}/journal/00000001.frj")).ok();
    let (word, told) = standing(&scene.env, "store-copied");
    assert!(word == "unknown" && told.contains("is not the one of this store"), "{word}: {told}");
    let report = report(&scene.env, &[]);
    assert_eq!(of(&report, "store-copied")["measured"], json!(true));
}

/// A second directory on the same machine is no copy elsewhere, however new it is.
#[test]
fn a_copy_on_the_same_machine_goes_with_it() {
    let env = recorded();
    env.claude_runs("ls");
    let to = env.root().join("copy");
    env.sh(&format!("cp -a $FR_HOME {}", to.display())).ok();
    env.fr(&["config", "set", "copy.to", to.to_str().unwrap()]).ok();
    let (word, told) = standing(&env, "store-copied");
    assert!(word == "unknown" && told.contains("it lies on this machine"), "{word}: {told}");
    assert!(next(&env, "store-copied").contains("copy.to"), "{}", next(&env, "store-copied"));
    env.fr(&["config", "set", "copy.to", "/nowhere/at/all"]).ok();
    let (word, told) = standing(&env, "store-copied");
    assert!(word == "unknown" && told.contains("/nowhere/at/all"), "{word}: {told}");
    let vouched = env.fr(&["maturity", "attest", "store-copied", "--owner", "Ada", "--note", "I believe so"]);
    assert_ne!(vouched.code, 0, "what can be measured is not vouched for: {vouched:?}");
}
