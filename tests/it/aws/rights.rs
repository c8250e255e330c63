//! Rights, keys, secrets, parameters, tables, records: what a careless line takes and undo gives back.

use serde_json::json;

use super::scene::Scene;

#[test]
fn a_role_with_its_policies_is_back_under_its_name() {
    let Some(scene) = Scene::new() else { return };
    let look = "i, out = c('iam'), {}\n\
        r = i.get_role(RoleName='r-NS')['Role']\n\
        out = [r['Path'], r['AssumeRolePolicyDocument'], r.get('Description'), r['MaxSessionDuration'], r.get('Tags'),\n\
        \x20 i.list_attached_role_policies(RoleName='r-NS')['AttachedPolicies'],\n\
        \x20 i.get_role_policy(RoleName='r-NS', PolicyName='inline')['PolicyDocument']]";
    scene.python(
        "i = c('iam')\nd = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 's3:*', 'Resource': '*'}]})\n\
         t = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': 'ec2.amazonaws.com'}, \
         'Action': 'sts:AssumeRole'}]})\n\
         i.create_role(RoleName='r-NS', Path='/ops/', AssumeRolePolicyDocument=t, Description='d', MaxSessionDuration=7200, \
         Tags=[{'Key': 'a', 'Value': 'b'}])\n\
         p = i.create_policy(PolicyName='p-NS', PolicyDocument=d)['Policy']['Arn']\n\
         i.attach_role_policy(RoleName='r-NS', PolicyArn=p)\n\
         i.put_role_policy(RoleName='r-NS', PolicyName='inline', PolicyDocument=d)",
    );
    let before = scene.python(look);
    scene
        .agent(
            "aws iam detach-role-policy --role-name r-NS --policy-arn arn:aws:iam::123456789012:policy/p-NS && \
             aws iam delete-role-policy --role-name r-NS --policy-name inline && aws iam delete-role --role-name r-NS",
        )
        .ok();
    let event = scene.event();
    assert_eq!((event["class"].as_str(), scene.kept()), (Some("access"), "all"), "{event:#}");
    let out = scene.undo(&[]);
    assert_eq!(out.code, 0, "{out:?}");
    assert!(format!("{out:?}").contains("with a new RoleId"), "{out:?}");
    assert_eq!(scene.python(look), before);
    // And a redo takes away what the undo made, in the right order.
    scene.env.fr(&["redo", "--yes"]).ok();
    let roles = scene.python("out = [r['RoleName'] for r in c('iam').list_roles(PathPrefix='/ops/')['Roles'] if '@NS' in r['RoleName']]");
    assert_eq!(roles, json!([]));
}

#[test]
fn keys_secrets_parameters_and_items() {
    let Some(scene) = Scene::new() else { return };
    let key = scene.python(
        "c('secretsmanager').create_secret(Name='s-NS', SecretString='aws-secret-in-manager')\n\
         c('ssm').put_parameter(Name='/p-NS', Type='SecureString', Value='aws-secret-in-parameter')\n\
         d = c('dynamodb')\nd.create_table(TableName='t-NS', KeySchema=[{'AttributeName': 'id', 'KeyType': 'HASH'}], \
         AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'}], BillingMode='PAY_PER_REQUEST')\n\
         for i in range(120): d.put_item(TableName='t-NS', Item={'id': {'S': str(i)}, 'v': {'N': str(i)}, 'b': {'B': b'\\x00\\xff'}})\n\
         out = c('kms').create_key(Description='k-NS')['KeyMetadata']['KeyId']",
    );
    let key = key.as_str().unwrap();
    let look = "out = [c('kms').describe_key(KeyId='KEY')['KeyMetadata']['KeyState'],\n\
        \x20 c('secretsmanager').get_secret_value(SecretId='s-NS')['SecretString'],\n\
        \x20 c('ssm').get_parameter(Name='/p-NS', WithDecryption=True)['Parameter']['Value'],\n\
        \x20 sorted(json.dumps(i, default=lambda b: b.hex(), sort_keys=True) for i in c('dynamodb').scan(TableName='t-NS')['Items'])]"
        .replace("KEY", key);
    let before = scene.python(&look);
    scene.env.write(
        "batch.json",
        format!(
            r#"{{"t-{}": [{{"PutRequest": {{"Item": {{"id": {{"S": "new"}}}}}}}}, {{"DeleteRequest": {{"Key": {{"id": {{"S": "9"}}}}}}}}]}}"#,
            scene.ns
        ),
    );
    let line = format!(
        "aws kms schedule-key-deletion --key-id {key} --pending-window-in-days 7 && aws secretsmanager delete-secret --secret-id \
         s-NS && aws ssm delete-parameter --name /p-NS && aws dynamodb delete-item --table-name t-NS --key \
         '{{\"id\":{{\"S\":\"7\"}}}}' && aws dynamodb put-item --table-name t-NS --item \
         '{{\"id\":{{\"S\":\"8\"}},\"v\":{{\"N\":\"0\"}}}}' && aws dynamodb batch-write-item --request-items file://batch.json"
    );
    scene.agent(&line).ok();
    let event = scene.event();
    assert_eq!((event["class"].as_str(), scene.kept()), (Some("destroy"), "all"), "{event:#}");
    let out = scene.undo(&[]);
    assert_eq!(scene.python(&look), before, "{out:?}");
    assert!(
        out.code == 3 && format!("{out:?}").contains("its history"),
        "the parameter's history is not back: {out:?}"
    );
    // The table itself: a new one costs money, so it is made where somebody asks for it.
    scene.agent("aws dynamodb delete-table --table-name t-NS").ok();
    assert_eq!(scene.undo(&[]).code, 3);
    let out = scene.undo(&["--apply-infra"]);
    assert_eq!(scene.python(&look), before, "{out:?}");
    let journal = scene.sh("cat $FR_HOME/journal/* | strings").stdout;
    assert!(!journal.contains("aws-secret-in"), "a secret is in the journal");
}

#[test]
fn records_functions_queues_and_what_nobody_knows() {
    let Some(scene) = Scene::new() else { return };
    let made = scene.python(
        "r = c('route53')\nz = r.create_hosted_zone(Name='@NS.example.', CallerReference='@NS')['HostedZone']['Id'].split('/')[-1]\n\
         r.change_resource_record_sets(HostedZoneId=z, ChangeBatch={'Changes': [{'Action': 'CREATE', 'ResourceRecordSet': \
         {'Name': 'www.@NS.example.', 'Type': 'A', 'TTL': 60, 'ResourceRecords': [{'Value': '192.0.2.1'}]}}]})\n\
         q = c('sqs').create_queue(QueueName='q-NS', Attributes={'VisibilityTimeout': '99'})['QueueUrl']\n\
         c('logs').create_log_group(logGroupName='/g-NS')\nc('logs').put_retention_policy(logGroupName='/g-NS', retentionInDays=30)\n\
         c('stepfunctions')\nout = {'zone': z, 'queue': q}",
    );
    let (zone, queue) = (made["zone"].as_str().unwrap(), made["queue"].as_str().unwrap());
    let look = "r = c('route53').list_resource_record_sets(HostedZoneId='ZONE')['ResourceRecordSets']\n\
        out = [sorted(json.dumps(x) for x in r if x['Type'] == 'A'),\n\
        \x20 c('sqs').get_queue_attributes(QueueUrl='QUEUE', AttributeNames=['VisibilityTimeout']).get('Attributes'),\n\
        \x20 [g.get('retentionInDays') for g in c('logs').describe_log_groups(logGroupNamePrefix='/g-NS')['logGroups']]]"
        .replace("ZONE", zone)
        .replace("QUEUE", queue);
    let before = scene.python(&look);
    scene.env.write(
        "change.json",
        format!(
            "{{\"Changes\": [{{\"Action\": \"UPSERT\", \"ResourceRecordSet\": {{\"Name\": \"www.{0}.example.\", \"Type\": \"A\", \
             \"TTL\": 1, \"ResourceRecords\": [{{\"Value\": \"203.0.113.9\"}}]}}}}, {{\"Action\": \"CREATE\", \
             \"ResourceRecordSet\": {{\"Name\": \"evil.{0}.example.\", \"Type\": \"A\", \"TTL\": 1, \"ResourceRecords\": \
             [{{\"Value\": \"203.0.113.9\"}}]}}}}]}}",
            scene.ns
        ),
    );
    let line = format!(
        "aws route53 change-resource-record-sets --hosted-zone-id {zone} --change-batch file://change.json && aws --endpoint-url $AWS_ENDPOINT_URL \
         sqs delete-queue --queue-url {queue} && aws logs delete-log-group --log-group-name /g-NS"
    );
    scene.agent(&line).ok();
    let shown = scene.env.fr(&["show", &scene.event()["id"].to_string()]).ok().stdout;
    assert!(
        shown.contains("its messages") && shown.contains("its log events"),
        "what no reading shows is named: {shown}"
    );
    let out = scene.undo(&[]);
    assert_eq!(out.code, 3, "messages and log events are not back: {out:?}");
    assert_eq!(scene.python(&look), before, "{out:?}");
}
