import io, json, zipfile
import boto3
from botocore.config import Config

CLIENTS = {}
ALLOW = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 's3:*', 'Resource': '*'}]})
TRUST = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': 'ec2.amazonaws.com'}, 'Action': 'sts:AssumeRole'}]})


def c(name):
    if name not in CLIENTS:
        CLIENTS[name] = boto3.client(name, config=Config(retries={'max_attempts': 1}))
    return CLIENTS[name]


def tags(thing):
    return sorted((t['Key'], t['Value']) for t in thing.get('Tags', []) if t['Key'] != 'fr:replaces')


def fields(thing, names):
    return {n: thing.get(n) for n in names.split()}


def gone(f):
    try:
        return f()
    except Exception as e:
        return 'gone: ' + type(e).__name__


def image():
    return c('ec2').describe_images(Owners=['amazon'])['Images'][0]['ImageId']


def zipped(name, text):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as z:
        z.writestr(zipfile.ZipInfo(name), text)
    return out.getvalue()


def whole_bucket(s, b):
    s.create_bucket(Bucket=b, ObjectOwnership='BucketOwnerPreferred')
    s.create_bucket(Bucket='logs-' + b)
    s.put_bucket_versioning(Bucket=b, VersioningConfiguration={'Status': 'Enabled'})
    s.put_bucket_encryption(Bucket=b, ServerSideEncryptionConfiguration={'Rules': [{'ApplyServerSideEncryptionByDefault': {'SSEAlgorithm': 'aws:kms', 'KMSMasterKeyID': 'k'}, 'BucketKeyEnabled': True}]})
    s.put_bucket_policy(Bucket=b, Policy='{"Version":"2012-10-17","Statement":[]}')
    s.put_bucket_cors(Bucket=b, CORSConfiguration={'CORSRules': [{'AllowedMethods': ['GET'], 'AllowedOrigins': ['*'], 'MaxAgeSeconds': 5}]})
    s.put_bucket_lifecycle_configuration(Bucket=b, LifecycleConfiguration={'Rules': [{'ID': 'r', 'Status': 'Enabled', 'Filter': {'Prefix': 'x/'}, 'Expiration': {'Days': 9}}]})
    s.put_bucket_tagging(Bucket=b, Tagging={'TagSet': [{'Key': 't', 'Value': 'v'}]})
    s.put_bucket_website(Bucket=b, WebsiteConfiguration={'IndexDocument': {'Suffix': 'i.html'}, 'ErrorDocument': {'Key': 'e.html'}})
    c('sqs').create_queue(QueueName=b)
    s.put_bucket_notification_configuration(Bucket=b, NotificationConfiguration={'QueueConfigurations': [{'Id': 'n', 'QueueArn': 'arn:aws:sqs:us-east-1:123456789012:' + b, 'Events': ['s3:ObjectCreated:*']}]})
    s.put_bucket_acl(Bucket='logs-' + b, ACL='log-delivery-write')
    s.put_bucket_logging(Bucket=b, BucketLoggingStatus={'LoggingEnabled': {'TargetBucket': 'logs-' + b, 'TargetPrefix': 'p'}})
    s.put_bucket_request_payment(Bucket=b, RequestPaymentConfiguration={'Payer': 'Requester'})
    s.put_public_access_block(Bucket=b, PublicAccessBlockConfiguration={'BlockPublicAcls': True, 'IgnorePublicAcls': False, 'BlockPublicPolicy': True, 'RestrictPublicBuckets': False})


def bucket_settings(s, b):
    of = {'location': 'LocationConstraint', 'versioning': 'Status', 'encryption': 'ServerSideEncryptionConfiguration', 'policy': 'Policy', 'cors': 'CORSRules', 'tagging': 'TagSet',
          'lifecycle_configuration': 'Rules', 'website': 'IndexDocument', 'notification_configuration': 'QueueConfigurations', 'logging': 'LoggingEnabled', 'acl': 'Grants',
          'request_payment': 'Payer', 'ownership_controls': 'OwnershipControls'}
    out = {n: gone(lambda: getattr(s, 'get_bucket_' + n)(Bucket=b).get(f)) for n, f in of.items()}
    out['block'] = gone(lambda: s.get_public_access_block(Bucket=b)['PublicAccessBlockConfiguration'])
    return out


def run(rows):
    """Each row's script on its own, with its names and what its set-up gave."""
    out = []
    for row in rows:
        ns = row['ns']
        world = dict(globals(), out=None, mine=[{'Name': 'tag:Name', 'Values': [ns]}], **(row.get('ids') or {}))
        world['named'] = lambda kind, ns=ns: [{'ResourceType': kind, 'Tags': [{'Key': 'Name', 'Value': ns}]}]
        try:
            exec(row['script'], world)
            out.append({'out': world['out']})
        except Exception as e:
            out.append({'error': f'{type(e).__name__}: {e}'})
    return out
