//! What is made in the account before something is destroyed there, where the user switched that on.

use serde_json::json;

use super::scene::Scene;

const ALL: &str = r#"
e, r, d = c('ec2'), c('rds'), c('dynamodb')
image = e.describe_images(Owners=['amazon'])['Images'][0]['ImageId']
i = e.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType='t3.micro', TagSpecifications=[{'ResourceType': 'instance', 'Tags': [{'Key': 'Name', 'Value': '@NS'}]}])['Instances'][0]['InstanceId']
v = e.create_volume(Size=3, AvailabilityZone='us-east-1a', TagSpecifications=[{'ResourceType': 'volume', 'Tags': [{'Key': 'Name', 'Value': '@NS'}]}])['VolumeId']
r.create_db_instance(DBInstanceIdentifier='db-NS', DBInstanceClass='db.t3.micro', Engine='postgres', AllocatedStorage=20, MasterUsername='u', MasterUserPassword='password-1')
d.create_table(TableName='t-NS', KeySchema=[{'AttributeName': 'id', 'KeyType': 'HASH'}], AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'}], BillingMode='PAY_PER_REQUEST')
for k in 'ab': d.put_item(TableName='t-NS', Item={'id': {'S': k}})
out = {'i': i, 'v': v, 'image': image}
"#;

/// What is there, and what was made to save it.
const LOOK: &str = r#"
e, r, d, mine = c('ec2'), c('rds'), c('dynamodb'), [{'Name': 'tag:Name', 'Values': ['@NS']}]
def gone(f):
    try: return f()
    except Exception as x: return type(x).__name__
out = {'there': [
    [[i['InstanceType']] for q in e.describe_instances(Filters=mine)['Reservations'] for i in q['Instances'] if i['State']['Name'] == 'running'],
    [v['Size'] for v in e.describe_volumes(Filters=mine)['Volumes']],
    gone(lambda: [x['Engine'] for x in r.describe_db_instances(DBInstanceIdentifier='db-NS')['DBInstances']]),
    gone(lambda: sorted(x['id']['S'] for x in d.scan(TableName='t-NS')['Items']))],
  'from': [i['ImageId'] for q in e.describe_instances(Filters=mine)['Reservations'] for i in q['Instances'] if i['State']['Name'] == 'running'],
  'images': [x['ImageId'] for x in e.describe_images(Owners=['self'], Filters=[{'Name': 'tag:fr:saves', 'Values': ['INSTANCE']}])['Images']],
  'snapshots': len([s for s in e.describe_snapshots(Filters=[{'Name': 'volume-id', 'Values': ['VOLUME']}])['Snapshots']]),
  'db': len([s for s in r.describe_db_snapshots()['DBSnapshots'] if s['DBSnapshotIdentifier'].startswith('fr-db-NS-')]),
  'backups': len(d.list_backups(TableName='t-NS')['BackupSummaries'])}
"#;

#[test]
fn what_is_switched_on_is_made_before_and_brings_data_back() {
    let Some(scene) = Scene::new() else { return };
    let made = scene.python(ALL);
    let id = |name: &str| made[name].as_str().unwrap().to_owned();
    let look = LOOK.replace("INSTANCE", &id("i")).replace("VOLUME", &id("v"));
    let before = scene.python(&look);
    let (instance, volume) = (id("i"), id("v"));
    let delete = format!(
        "aws ec2 terminate-instances --instance-ids {instance}; aws ec2 delete-volume --volume-id {volume}; aws --endpoint-url \
         $AWS_ENDPOINT_URL rds delete-db-instance --db-instance-identifier db-NS --skip-final-snapshot; aws dynamodb delete-table \
         --table-name t-NS"
    );
    // Switched off, which is how it comes, nothing is made.
    scene.env.claude_pre(&scene.named(&delete));
    let counts =
        |found: &serde_json::Value| ["images", "snapshots", "db", "backups"].map(|name| found[name].clone());
    assert_eq!(counts(&scene.python(&look)), [json!([]), json!(0), json!(0), json!(0)]);
    scene.setting(
        "[aws]\nimage-before-terminate = true\nsnapshot-before-delete = true\nbackup-before-delete = true\n\
         [caps]\naws_seconds = 120\n",
    );
    // Looking at a line, or at what only reads, makes nothing either.
    scene.env.fr(&["explain", "-c", &scene.named(&delete)]).ok();
    scene.env.claude_pre("aws ec2 terminate-instances --dry-run --instance-ids i-1");
    assert_eq!(counts(&scene.python(&look)), [json!([]), json!(0), json!(0), json!(0)]);
    scene.agent(&delete).ok();
    let gone = scene.python(&look);
    assert_eq!(gone["there"], json!([[], [], "DBInstanceNotFoundFault", "ResourceNotFoundException"]));
    assert_eq!(gone["images"].as_array().unwrap().len(), 1, "{gone}");
    assert_eq!(counts(&gone)[1..], [json!(1), json!(1), json!(1)]);
    let shown = scene.env.fr(&["show", &scene.event()["id"].to_string()]).ok().stdout;
    assert!(
        shown.contains("which costs money until aws ec2 deregister-image"),
        "the record says what was made: {shown}"
    );
    let out = scene.undo(&["--apply-infra"]);
    let after = scene.python(&look);
    assert_eq!(after["there"], before["there"], "{out:?}");
    assert_eq!(after["from"], gone["images"], "the new instance is started from the image of the old one");
    assert!(format!("{out:?}").contains("after the image of it was made"), "{out:?}");
}
