//! "That old S3 bucket": buckets and objects come back byte for byte.

use super::scene::Scene;

/// Two buckets of 61 objects: one without versions, one with. Odd keys, metadata, tags, one written in parts.
const BUCKETS: &str = r#"
s = c('s3')
body = os.urandom(12 << 20)
for b in ('plain-NS', 'versioned-NS'):
    s.create_bucket(Bucket=b)
s.put_bucket_versioning(Bucket='versioned-NS', VersioningConfiguration={'Status': 'Enabled'})
for b in ('plain-NS', 'versioned-NS'):
    for i in range(50):
        s.put_object(Bucket=b, Key=f'data/{i}', Body=os.urandom(2000), Metadata={'n': str(i)}, ContentType='text/x-n')
    for k in ['a', 'a/b', 'dir/', 'sp ace/ü ñ.txt', 'plus+and&.txt', 'a//b', 'quote".txt', '%41', './dot']:
        s.put_object(Bucket=b, Key=k, Body=k.encode(), Tagging='a=b&c=d%20e', CacheControl='max-age=60')
    s.put_object(Bucket=b, Key='empty', Body=b'', StorageClass='STANDARD_IA', ContentType='application/x-empty', ContentLanguage='de')
    open('whole', 'wb').write(body)
    s.upload_file('whole', b, 'big.bin')
    s.put_bucket_tagging(Bucket=b, Tagging={'TagSet': [{'Key': 't', 'Value': 'v'}]})
    s.put_bucket_cors(Bucket=b, CORSConfiguration={'CORSRules': [{'AllowedMethods': ['GET'], 'AllowedOrigins': ['*']}]})
    s.put_bucket_policy(Bucket=b, Policy='{"Version":"2012-10-17","Statement":[]}')
    s.put_bucket_website(Bucket=b, WebsiteConfiguration={'IndexDocument': {'Suffix': 'i.html'}})
    s.put_bucket_lifecycle_configuration(Bucket=b, LifecycleConfiguration={'Rules': [{'ID': 'r', 'Status': 'Enabled', 'Filter': {'Prefix': 'x/'}, 'Expiration': {'Days': 9}}]})
    s.put_bucket_encryption(Bucket=b, ServerSideEncryptionConfiguration={'Rules': [{'ApplyServerSideEncryptionByDefault': {'SSEAlgorithm': 'aws:kms', 'KMSMasterKeyID': 'k'}}]})
    c('sqs').create_queue(QueueName=b)
    s.put_bucket_notification_configuration(Bucket=b, NotificationConfiguration={'QueueConfigurations': [{'Id': 'n', 'QueueArn': 'arn:aws:sqs:us-east-1:123456789012:' + b, 'Events': ['s3:ObjectCreated:*']}]})
    s.put_public_access_block(Bucket=b, PublicAccessBlockConfiguration={'BlockPublicAcls': True, 'IgnorePublicAcls': True, 'BlockPublicPolicy': True, 'RestrictPublicBuckets': True})
os.remove('whole')
"#;

/// All that can be said of the two buckets, but times and versions.
const DUMP: &str = r#"
s, out = c('s3'), {}
def get(f, field):
    try: return f()[field]
    except Exception as e: return str(e)[:60]
for b in BUCKETS:
    try: listed = s.list_objects_v2(Bucket=b).get('Contents', [])
    except Exception as e:
        out[b] = str(e); continue
    objects = {}
    for o in listed:
        g = s.get_object(Bucket=b, Key=o['Key'])
        objects[o['Key']] = [hashlib.sha256(g['Body'].read()).hexdigest(), g['ETag'], g['ContentType'], g['Metadata'],
            g.get('CacheControl'), g.get('StorageClass'), g.get('ContentLanguage'), s.get_object_tagging(Bucket=b, Key=o['Key'])['TagSet']]
    out[b] = {'objects': objects, 'tags': get(lambda: s.get_bucket_tagging(Bucket=b), 'TagSet'),
        'cors': get(lambda: s.get_bucket_cors(Bucket=b), 'CORSRules'), 'policy': get(lambda: s.get_bucket_policy(Bucket=b), 'Policy'),
        'lifecycle': get(lambda: s.get_bucket_lifecycle_configuration(Bucket=b), 'Rules'),
        'encryption': get(lambda: s.get_bucket_encryption(Bucket=b), 'ServerSideEncryptionConfiguration'),
        'notification': get(lambda: s.get_bucket_notification_configuration(Bucket=b), 'QueueConfigurations'),
        'website': get(lambda: s.get_bucket_website(Bucket=b), 'IndexDocument'),
        'block': get(lambda: s.get_public_access_block(Bucket=b), 'PublicAccessBlockConfiguration'),
        'versioning': s.get_bucket_versioning(Bucket=b).get('Status')}
"#;

fn dump(buckets: &str) -> String {
    DUMP.replace("BUCKETS", buckets)
}

#[test]
fn a_bucket_that_is_removed_by_force_comes_back_with_versions_and_without() {
    let Some(scene) = Scene::new() else { return };
    scene.python(BUCKETS);
    let look = dump("('plain-NS', 'versioned-NS')");
    let before = scene.python(&look);
    assert_eq!(before[format!("plain-{}", scene.ns)]["objects"].as_object().unwrap().len(), 61);
    // The versioned one cannot be removed: all its objects get marks of deletion, and then it is not empty. A failing
    // command has changed something too.
    let out = scene.agent("aws s3 rb s3://plain-NS --force; aws s3 rb s3://versioned-NS --force");
    assert_eq!(out.code, 1, "{out:?}");
    let gone = scene.python(&look);
    assert!(gone[format!("plain-{}", scene.ns)].as_str().unwrap().contains("NoSuchBucket"), "{gone}");
    assert_eq!(gone[format!("versioned-{}", scene.ns)]["objects"], serde_json::json!({}));
    let event = scene.event();
    assert_eq!((event["class"].as_str(), scene.kept()), (Some("destroy"), "all"), "{event:#}");
    scene.undo(&[]).ok();
    assert_eq!(scene.python(&look), before);
    // Nothing was written twice: what had versions has its old ones.
    let marks =
        scene.python("out = c('s3').list_object_versions(Bucket='versioned-NS').get('DeleteMarkers', [])");
    assert_eq!(marks, serde_json::json!([]));
}

#[test]
fn objects_that_are_removed_overwritten_moved_or_synced_away_come_back() {
    let Some(scene) = Scene::new() else { return };
    scene.python(
        "s = c('s3')\nfor b in ('one-NS', 'two-NS'): s.create_bucket(Bucket=b)\n\
         s.put_bucket_versioning(Bucket='two-NS', VersioningConfiguration={'Status': 'Enabled'})\n\
         for b in ('one-NS', 'two-NS'):\n    for k in ('conf.json', 'logs/a.log', 'logs/b.log', 'logs/keep.txt', 'x/1', 'x/2'):\n\
         \x20       s.put_object(Bucket=b, Key=k, Body=(b + k).encode(), Metadata={'k': 'v'})",
    );
    let look = dump("('one-NS', 'two-NS')");
    let before = scene.python(&look);
    scene.env.write("new.json", "new");
    scene.env.write("site/x", "x");
    let line =
        "for b in one-NS two-NS; do aws s3 rm s3://$b/x/1 && aws s3 cp new.json s3://$b/conf.json; done";
    scene.agent(line).ok();
    let changed = scene.python(&look);
    assert_ne!(changed, before);
    scene.undo(&[]).ok();
    assert_eq!(scene.python(&look), before, "one by one");
    scene.agent("aws s3 rm s3://one-NS/logs --recursive --exclude '*' --include '*.log'").ok();
    let changed = scene.python(&look);
    assert_eq!(changed[format!("one-{}", scene.ns)]["objects"].as_object().unwrap().len(), 4);
    scene.undo(&[]).ok();
    assert_eq!(scene.python(&look), before, "by a pattern");
    scene.agent("aws s3 sync site s3://one-NS --delete").ok();
    let changed = scene.python(&look);
    assert_eq!(changed[format!("one-{}", scene.ns)]["objects"].as_object().unwrap().len(), 1);
    scene.undo(&[]).ok();
    assert_eq!(scene.python(&look), before, "synced away, and what the sync added is gone");
}

#[test]
fn an_object_that_somebody_wrote_since_is_a_conflict_and_nothing_is_written() {
    let Some(scene) = Scene::new() else { return };
    scene.python("s = c('s3')\ns.create_bucket(Bucket='b-NS')\nfor k in 'ab': s.put_object(Bucket='b-NS', Key=k, Body=k.encode())");
    let list = r#"aws s3api delete-objects --bucket b-NS --delete 'Objects=[{Key=a},{Key=b}]'"#;
    scene.agent(list).ok();
    scene.python("c('s3').put_object(Bucket='b-NS', Key='a', Body=b'somebody')");
    let out = scene.undo(&[]);
    assert_eq!(out.code, 4, "{out:?}");
    let left = scene.python("out = [o['Key'] for o in c('s3').list_objects_v2(Bucket='b-NS')['Contents']]");
    assert_eq!(left, serde_json::json!(["a"]), "nothing was written");
    assert_eq!(scene.undo(&["--on-conflict", "skip"]).code, 3);
    let left = scene.python(
        "s = c('s3')\nout = [s.get_object(Bucket='b-NS', Key=k)['Body'].read().decode() for k in 'ab']",
    );
    assert_eq!(left, serde_json::json!(["somebody", "b"]));
}

#[test]
fn what_is_over_the_budget_is_named_and_never_called_undone() {
    let Some(scene) = Scene::new() else { return };
    scene.setting("[caps]\naws_bytes = 1000\n");
    scene.python(
        "s = c('s3')\ns.create_bucket(Bucket='b-NS')\ns.put_object(Bucket='b-NS', Key='small', Body=b'x' * 900)\n\
         s.put_object(Bucket='b-NS', Key='large', Body=b'x' * 5000)",
    );
    scene.agent("aws s3 rm s3://b-NS --recursive").ok();
    let event = scene.event();
    assert_eq!(scene.kept(), "part", "{event:#}");
    let shown = scene.env.fr(&["show", &event["id"].to_string()]).ok().stdout;
    assert!(shown.contains("large") && shown.contains("caps.aws_bytes"), "{shown}");
    let out = scene.undo(&[]);
    assert!(out.code == 3 && format!("{out:?}").contains("large"), "{out:?}");
    let left = scene.python("out = [o['Key'] for o in c('s3').list_objects_v2(Bucket='b-NS')['Contents']]");
    assert_eq!(left, serde_json::json!(["small"]));
}

#[test]
fn an_object_of_which_only_the_metadata_changed_is_changed() {
    let Some(scene) = Scene::new() else { return };
    scene.python(
        "s = c('s3')\nfor b in ('one-NS', 'two-NS'): s.create_bucket(Bucket=b)\n\
         s.put_bucket_versioning(Bucket='two-NS', VersioningConfiguration={'Status': 'Enabled'})\n\
         for b in ('one-NS', 'two-NS'):\n    for k in 'abc': s.put_object(Bucket=b, Key=k, Body=k.encode(), Metadata={'m': 'old'}, \
         CacheControl='max-age=60', Tagging='t=v')",
    );
    let look = dump("('one-NS', 'two-NS')");
    let before = scene.python(&look);
    let touch = "aws s3 cp s3://$b/a s3://$b/a --metadata-directive REPLACE --metadata m=new --content-type text/x-new";
    scene.agent(&format!("for b in one-NS two-NS; do {touch}; done")).ok();
    let changed = scene.python(&look);
    assert_ne!(changed, before);
    scene.undo(&[]).ok();
    assert_eq!(scene.python(&look), before, "the content was the same all the time");
    // Somebody changes only the metadata of what the command removed and somebody put back: that is not what it was.
    scene.agent("aws s3 rm s3://one-NS/b").ok();
    scene.python("c('s3').put_object(Bucket='one-NS', Key='b', Body=b'b', Metadata={'m': 'somebody'})");
    let out = scene.undo(&[]);
    assert_eq!(out.code, 4, "{out:?}");
    let left = scene.python("out = c('s3').head_object(Bucket='one-NS', Key='b')['Metadata']");
    assert_eq!(left, serde_json::json!({"m": "somebody"}));
    // And where it is put back as it was, it is back.
    scene.python("c('s3').put_object(Bucket='one-NS', Key='b', Body=b'b', Metadata={'m': 'old'}, CacheControl='max-age=60', Tagging='t=v')");
    let out = scene.undo(&[]);
    assert!(matches!(out.code, 0 | 5) && scene.python(&look) == before, "{out:?}");
}

/// Several commands of one session as one, with what is in the objects: also where the undo is taken back.
#[test]
fn a_session_of_several_commands_is_taken_back_as_one_and_forward_again() {
    let Some(scene) = Scene::new() else { return };
    scene.python("s = c('s3')\ns.create_bucket(Bucket='one-NS')\nfor k in 'abc': s.put_object(Bucket='one-NS', Key=k, Body=k.encode())");
    let look = dump("('one-NS',)");
    let before = scene.python(&look);
    scene.env.write("docs/a.txt", "a");
    scene.env.write("new", "new");
    scene.agent("aws s3 rm s3://one-NS/a").ok();
    scene.agent("rm -rf docs").ok();
    scene.agent("aws s3 cp new s3://one-NS/b").ok();
    let after = scene.python(&look);
    let undo = scene.env.fr(&["undo", "--session", "--yes"]);
    assert_eq!((undo.code, scene.env.read("docs/a.txt")), (0, "a".into()), "{undo:?}");
    assert_eq!(scene.python(&look), before, "{undo:?}");
    let redo = scene.env.fr(&["redo", "--yes"]);
    assert_eq!(redo.code, 0, "{redo:?}");
    assert_eq!(scene.python(&look), after, "{redo:?}");
}

/// What the agent writes. The clock of its server is ahead: how long a look at it takes, and how busy this machine is, does not
/// matter then. It is the second of the writing still, and would be over three seconds later otherwise.
const THE_AGENT_WRITES: &str = "for k in a b c d e; do aws s3 cp new s3://b-NS/$k --metadata m=agent,written-at=2100-01-01T00:00:00; done";

/// Somebody writes the content that is there once more, in the second in which it was written: what a listing tells is the same.
/// `{}` is the body; 'a' gets other metadata, 'b' tags, 'c' rights, 'd' another type, 'e' is left alone.
const IN_THE_SAME_SECOND: &str = r#"
s = c('s3')
def at(k): return s.head_object(Bucket='b-NS', Key=k)['LastModified'].strftime('%Y-%m-%dT%H:%M:%S')
listed = lambda: sorted((o['Key'], o['ETag'], str(o['LastModified'])) for o in s.list_objects_v2(Bucket='b-NS')['Contents'])
before = listed()
s.put_object(Bucket='b-NS', Key='a', Body=b'{}', Metadata={'m': 'somebody', 'written-at': at('a')})
s.put_object_tagging(Bucket='b-NS', Key='b', Tagging={'TagSet': [{'Key': 't', 'Value': 'somebody'}]})
s.put_object_acl(Bucket='b-NS', Key='c', ACL='public-read')
s.put_object(Bucket='b-NS', Key='d', Body=b'{}', ContentType='text/somebody', Metadata={'written-at': at('d')})
assert listed() == before, (before, listed())
"#;

const ALL_OF_IT: &str = r#"
s, out = c('s3'), {}
for k in 'abcde':
    g = s.get_object(Bucket='b-NS', Key=k)
    out[k] = [g['Body'].read().decode(), g['Metadata'], g['ContentType'], s.get_object_tagging(Bucket='b-NS', Key=k)['TagSet'],
        len(s.get_object_acl(Bucket='b-NS', Key=k)['Grants'])]
"#;

#[test]
fn what_somebody_writes_in_the_second_of_an_undo_is_not_overwritten_by_its_redo() {
    let Some(scene) = Scene::new() else { return };
    scene.python("s = c('s3')\ns.create_bucket(Bucket='b-NS')\nfor k in 'abcde': s.put_object(Bucket='b-NS', Key=k, Body=b'old', Metadata={'m': 'old', 'written-at': '2100-01-01T00:00:00'})");
    scene.env.write("new", "new");
    scene.agent(THE_AGENT_WRITES).ok();
    let changed = scene.python(ALL_OF_IT);
    scene.undo(&[]).ok();
    // Where nobody wrote, the undo is taken back.
    scene.env.fr(&["redo", "--yes"]).ok();
    assert_eq!(scene.python(ALL_OF_IT), changed);
    scene.undo(&[]).ok();
    scene.python(&IN_THE_SAME_SECOND.replace("{}", "old"));
    let somebody = scene.python(ALL_OF_IT);
    // The latest undo is the one of the redo.
    let out = scene.undo(&[]);
    assert_eq!(out.code, 4, "{out:?}");
    let said = format!("{out:?}");
    for name in ["a", "b", "c", "d", "e"] {
        assert_eq!(said.contains(&scene.named(&format!("b-NS/{name}:"))), name != "e", "{name}: {said}");
    }
    assert_eq!(scene.python(ALL_OF_IT), somebody, "nothing was written: {out:?}");
}

#[test]
fn what_somebody_writes_in_the_second_of_a_command_is_not_overwritten_by_its_undo() {
    let Some(scene) = Scene::new() else { return };
    scene.python("s = c('s3')\ns.create_bucket(Bucket='b-NS')\nfor k in 'abcde': s.put_object(Bucket='b-NS', Key=k, Body=b'old', Metadata={'m': 'old'})");
    scene.env.write("new", "new");
    scene.agent(THE_AGENT_WRITES).ok();
    scene.python(&IN_THE_SAME_SECOND.replace("{}", "new"));
    let somebody = scene.python(ALL_OF_IT);
    let out = scene.undo(&[]);
    assert_eq!(out.code, 4, "{out:?}");
    assert_eq!(scene.python(ALL_OF_IT), somebody, "nothing was written: {out:?}");
    let out = scene.undo(&["--on-conflict", "skip"]);
    assert_eq!(out.code, 3, "{out:?}");
    let left = scene.python(ALL_OF_IT);
    assert_eq!(left["e"][0], "old", "what nobody wrote is back: {out:?}");
    for name in ["a", "b", "c", "d"] {
        assert_eq!(left[name], somebody[name], "{name}");
    }
}

/// Written twice within a second or two: what lies in between is no conflict of the session with itself.
#[test]
fn one_object_that_two_commands_wrote_at_once_is_taken_back_with_the_session() {
    let Some(scene) = Scene::new() else { return };
    scene.python("s = c('s3')\ns.create_bucket(Bucket='b-NS')\nfor k in 'abcde': s.put_object(Bucket='b-NS', Key=k, Body=b'old', Metadata={'m': 'old'})");
    let before = scene.python(ALL_OF_IT);
    scene.env.write("new", "new");
    scene.agent("aws s3 cp new s3://b-NS/a").ok();
    scene.agent("aws s3 cp s3://b-NS/a s3://b-NS/a --metadata-directive REPLACE --metadata m=other").ok();
    let undo = scene.env.fr(&["undo", "--session", "--yes"]);
    assert_eq!(undo.code, 0, "{undo:?}");
    assert_eq!(scene.python(ALL_OF_IT), before);
}

/// Files that everybody may read, or another account: a website that came back and that nobody can open is no website.
#[test]
fn what_everybody_could_read_everybody_can_read_again() {
    let Some(scene) = Scene::new() else { return };
    scene.python(
        "s = c('s3')\nfor b in ('one-NS', 'two-NS'): s.create_bucket(Bucket=b)\n\
         s.put_bucket_versioning(Bucket='two-NS', VersioningConfiguration={'Status': 'Enabled'})\n\
         for b in ('one-NS', 'two-NS'):\n    for k, how in (('index.html', {'ACL': 'public-read'}), ('own', {}), \
         ('both', {'GrantFullControl': 'id=\"75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a\"', \
         'GrantRead': 'uri=\"http://acs.amazonaws.com/groups/global/AuthenticatedUsers\",id=\"0123456789abcdef\"', 'GrantReadACP': 'id=\"0123456789abcdef\"'})):\n\
         \x20       s.put_object(Bucket=b, Key=k, Body=k.encode(), Tagging='site=main', **how)\n\
         open('whole', 'wb').write(os.urandom(9 << 20))\ns.upload_file('whole', 'one-NS', 'big', ExtraArgs={'ACL': 'public-read'})\nos.remove('whole')",
    );
    let look = "s, out = c('s3'), {}\nfor b in ('one-NS', 'two-NS'):\n    try: listed = s.list_objects_v2(Bucket=b).get('Contents', [])\n\
                \x20   except s.exceptions.NoSuchBucket: continue\n    for o in listed:\n\
                \x20       k = o['Key']\n        g = s.get_object_acl(Bucket=b, Key=k)['Grants']\n\
                \x20       out[b + k] = [sorted(json.dumps(one, sort_keys=True) for one in g), s.get_object_tagging(Bucket=b, Key=k)['TagSet'], o['ETag']]";
    let before = scene.python(look);
    assert!(
        before.to_string().contains("AuthenticatedUsers") && before.as_object().unwrap().len() == 7,
        "{before}"
    );
    scene.env.write("new", "new");
    for line in [
        "aws s3 rm s3://one-NS --recursive",
        "for b in one-NS two-NS; do for k in index.html both own; do aws s3 cp new s3://$b/$k; done; done",
        "aws s3 rb s3://one-NS --force",
    ] {
        scene.agent(line).ok();
        assert_ne!(scene.python(look), before, "{line}");
        let out = scene.undo(&[]);
        assert_eq!((out.code, scene.python(look)), (0, before.clone()), "{line}: {out:?}");
    }
    // A bucket in which nobody but its owner owns anything has no such lists, and asks for none.
    scene.python("c('s3').put_bucket_ownership_controls(Bucket='one-NS', OwnershipControls={'Rules': [{'ObjectOwnership': 'BucketOwnerEnforced'}]})");
    scene.agent("aws s3 rm s3://one-NS/own").ok();
    let out = scene.undo(&[]);
    assert_eq!((out.code, scene.python(look)), (0, before), "{out:?}");
}
