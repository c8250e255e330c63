//! The cleanup that hit the database server, and what else runs.

use serde_json::json;

use super::scene::Scene;

/// Three instances to clean up; one of them is the database.
const THREE: &str = r#"
e = c('ec2')
vpc = e.create_vpc(CidrBlock='10.9.0.0/16')['Vpc']['VpcId']
subnet = e.create_subnet(VpcId=vpc, CidrBlock='10.9.1.0/24')['Subnet']['SubnetId']
sg = e.create_security_group(GroupName='g-NS', Description='d', VpcId=vpc)['GroupId']
e.authorize_security_group_ingress(GroupId=sg, IpPermissions=[
    {'IpProtocol': 'tcp', 'FromPort': 5432, 'ToPort': 5432, 'IpRanges': [{'CidrIp': '10.9.0.0/16', 'Description': 'app'}, {'CidrIp': '10.8.0.0/16'}]},
    {'IpProtocol': 'tcp', 'FromPort': 22, 'ToPort': 22, 'IpRanges': [{'CidrIp': '192.0.2.0/24'}]}])
image = e.describe_images(Owners=['amazon'])['Images'][0]['ImageId']
out = {'sg': sg, 'ids': []}
for name, data in (('web', ''), ('cache', ''), ('database', 'password=aws-secret-in-user-data')):
    i = e.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType='t3.micro', SubnetId=subnet, SecurityGroupIds=[sg],
        UserData=data, BlockDeviceMappings=[{'DeviceName': '/dev/sda1', 'Ebs': {'VolumeSize': 21, 'VolumeType': 'gp3', 'DeleteOnTermination': True}}], TagSpecifications=[{'ResourceType': 'instance', 'Tags': [{'Key': 'Name', 'Value': name + '-NS'}]}])
    out['ids'].append(i['Instances'][0]['InstanceId'])
"#;

/// What counts of the instances that run or are stopped.
const RUNNING: &str = r#"
e, out = c('ec2'), []
for r in e.describe_instances(Filters=[{'Name': 'tag:Name', 'Values': ['*-NS']}])['Reservations']:
    for i in r['Instances']:
        if i['State']['Name'] in ('terminated', 'shutting-down'): continue
        data = e.describe_instance_attribute(InstanceId=i['InstanceId'], Attribute='userData')['UserData'].get('Value')
        tags = sorted((t['Key'], t['Value']) for t in i['Tags'] if t['Key'] != 'fr:replaces')
        disks = [d['Ebs']['VolumeId'] for d in i['BlockDeviceMappings']]
        sizes = sorted((v['Size'], v['VolumeType']) for v in e.describe_volumes(VolumeIds=disks)['Volumes'])
        out.append([tags, i['InstanceType'], i['SubnetId'], [g['GroupId'] for g in i['SecurityGroups']], i['State']['Name'], data, sizes])
out.sort(key=str)
"#;

#[test]
fn a_cleanup_of_three_instances_that_includes_the_database() {
    let Some(scene) = Scene::new() else { return };
    let made = scene.python(THREE);
    let ids: Vec<&str> = made["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let before = scene.python(RUNNING);
    scene.agent(&format!("aws ec2 terminate-instances --instance-id {}", ids.join(" "))).ok();
    let event = scene.event();
    assert_eq!(
        (&event["class"], &event["reversibility"]),
        (&json!("destroy"), &json!("recreate")),
        "{event:#}"
    );
    assert_eq!(scene.kept(), "all", "{event:#}");
    // New instances cost money and have other ids: that is only done where somebody asks for it by name.
    let out = scene.undo(&[]);
    assert_eq!(out.code, 3, "{out:?}");
    assert!(format!("{out:?}").contains("--apply-infra"), "{out:?}");
    assert_eq!(scene.python(RUNNING), json!([]), "nothing was started");
    let out = scene.undo(&["--apply-infra"]);
    let said = format!("{out:?}");
    assert!(said.contains("with a new InstanceId") && said.contains("what was on its disks"), "{said}");
    assert_eq!(scene.python(RUNNING), before, "{out:?}");
    // Once more starts no further ones.
    let again = scene.undo(&["--apply-infra"]);
    assert_eq!(scene.python(RUNNING), before, "{again:?}");
    let told = scene.env.fr(&["show", &event["id"].to_string(), "--json"]).stdout;
    let journal = scene.sh("cat $FR_HOME/journal/* | strings").stdout;
    for text in [&told, &journal, &said] {
        assert!(!text.contains("aws-secret-in-user-data") && !text.contains("cGFzc3dvcmQ9YXdzLXN"), "{text}");
    }
}

#[test]
fn stopped_instances_start_again_and_changed_ones_are_what_they_were() {
    let Some(scene) = Scene::new() else { return };
    let made = scene.python(THREE);
    let id = |at: usize| made["ids"][at].as_str().unwrap().to_owned();
    let before = scene.python(RUNNING);
    let line = format!(
        "aws ec2 stop-instances --instance-ids {} && aws ec2 modify-instance-attribute --instance-id {} \
         --instance-type Value=m5.large && aws ec2 delete-tags --resources {} --tags Key=Name",
        id(0),
        id(0),
        id(1)
    );
    scene.agent(&line).ok();
    assert_ne!(scene.python(RUNNING), before);
    let out = scene.undo(&[]);
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(scene.python(RUNNING), before);
}

#[test]
fn rules_of_a_security_group_go_back_exactly() {
    let Some(scene) = Scene::new() else { return };
    let sg = scene.python(THREE)["sg"].as_str().unwrap().to_owned();
    let look = "out = sorted(json.dumps([r['IpProtocol'], r['FromPort'], r.get('CidrIpv4'), r.get('Description')]) for r in \
                c('ec2').describe_security_group_rules(Filters=[{'Name': 'group-id', 'Values': ['SG']}])['SecurityGroupRules'] \
                if not r['IsEgress'])"
        .replace("SG", &sg);
    let before = scene.python(&look);
    assert_eq!(before.as_array().unwrap().len(), 3);
    let line = format!(
        "aws ec2 revoke-security-group-ingress --group-id {sg} --protocol tcp --port 5432 --cidr 10.9.0.0/16 && \
         aws ec2 authorize-security-group-ingress --group-id {sg} --protocol tcp --port 22 --cidr 0.0.0.0/0"
    );
    scene.agent(&line).ok();
    assert_ne!(scene.python(&look), before);
    let event = scene.event();
    assert_eq!((event["class"].as_str(), scene.kept()), (Some("access"), "all"), "{event:#}");
    scene.undo(&[]).ok();
    assert_eq!(scene.python(&look), before);
}

/// A disk that was told to outlive its instance is where the data is: the person who looks for it reads its id.
#[test]
fn a_root_volume_that_outlives_its_instance_is_named() {
    let Some(scene) = Scene::new() else { return };
    let made = scene.python(
        "e = c('ec2')\nimage = e.describe_images(Owners=['amazon'])['Images'][0]['ImageId']\nout = []\n\
         for keeps in (False, True):\n    i = e.run_instances(ImageId=image, MinCount=1, MaxCount=1, BlockDeviceMappings=[{'DeviceName': '/dev/sda1', \
         'Ebs': {'VolumeSize': 9, 'DeleteOnTermination': not keeps}}])['Instances'][0]['InstanceId']\n\
         \x20   d = e.describe_instances(InstanceIds=[i])['Reservations'][0]['Instances'][0]\n\
         \x20   assert d['RootDeviceName'] == '/dev/sda1', d\n    out.append([i, d['BlockDeviceMappings'][0]['Ebs']['VolumeId']])",
    );
    let text = |at: usize, of: usize| made[at][of].as_str().unwrap().to_owned();
    scene.agent(&format!("aws ec2 terminate-instances --instance-ids {} {}", text(0, 0), text(1, 0))).ok();
    let event = scene.event()["id"].to_string();
    let (gone, kept) = (text(0, 1), text(1, 1));
    for args in [vec!["--dry-run"], vec!["--yes"], vec!["--yes", "--apply-infra"]] {
        let out = scene.env.fr(&[vec!["undo", event.as_str()], args.clone()].concat());
        let said = format!("{out:?}");
        assert!(
            said.contains(&format!("its root volume {kept}: it outlived the instance")),
            "{args:?}: {said}"
        );
        assert!(!said.contains(&format!("its root volume {gone}")), "{args:?}: {said}");
    }
}
