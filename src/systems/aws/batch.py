# Several operations in one process of the user's own AWS command line, where that is a Python program: its session, its
# configuration, its credentials; only starting it once. Each line of standard input is a list of calls, each line of standard
# output the list of their answers. Where it cannot do that, its only line says why, and each call is a process then.
import sys
sys.path[:] = [p for p in sys.path if p]  # never what lies in the directory of the command

import base64, datetime, itertools, json, os, threading
from concurrent.futures import ThreadPoolExecutor

try:
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever else prints is no answer
    asked = json.loads(sys.stdin.buffer.readline())
    from awscli.clidriver import create_clidriver
    try:  # version 2 brings its own
        from awscli.botocore import UNSIGNED
        from awscli.botocore.config import Config
    except ImportError:
        from botocore import UNSIGNED
        from botocore.config import Config
    driver = create_clidriver()
    create_parser = getattr(driver, "_create_parser", None) or driver.create_parser  # version 2 has the other name
    parser = create_parser(driver._get_command_table())
    args, rest = parser.parse_known_args(asked["flags"] + ["sts", "get-caller-identity"])
    try:
        driver._handle_top_level_args(args, rest)
    except TypeError:
        driver._handle_top_level_args(args)
    driver._emit_session_event(args)
    session = driver.session
except BaseException as e:
    print(json.dumps({"cannot": type(e).__name__ + " " + str(e)[:300]}), file=out, flush=True)
    sys.exit(0)

NAMES = {"s3api": "s3", "deploy": "codedeploy", "configservice": "config"}
clients, lock, only_one = {}, threading.Lock(), threading.Lock()
THREADS = 8
WHO = {}

def client(service):
    # Making clients of one session is not safe in threads, using them is (botocore's documentation).
    with lock:
        if service not in clients:
            options = {"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 2}, "max_pool_connections": 16}
            if getattr(args, "sign_request", True) is False:
                options["signature_version"] = UNSIGNED
            verify = getattr(args, "ca_bundle", None) or (None if args.verify_ssl else False)
            clients[service] = session.create_client(
                NAMES.get(service, service), region_name=args.region, endpoint_url=args.endpoint_url, verify=verify,
                config=Config(**options))
        return clients[service]

def plain(value):
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if hasattr(value, "read"):
        return base64.b64encode(value.read()).decode()
    return str(value)

def decoded(value, shape):
    # As on the command line, blobs are base64 in JSON.
    if shape is None or value is None:
        return value
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        return {k: decoded(v, shape.members.get(k)) for k, v in value.items()}
    if kind == "list" and isinstance(value, list):
        return [decoded(v, shape.member) for v in value]
    if kind == "map" and isinstance(value, dict):
        return {k: decoded(v, shape.value) for k, v in value.items()}
    if kind == "blob" and isinstance(value, str):
        return base64.b64decode(value)
    return value

def operation(c, name):
    for method, op in c.meta.method_to_api_mapping.items():
        if method.replace("_", "-") == name:
            return method, c.meta.service_model.operation_model(op)
    return None, None

numbers = itertools.count()

def is_refusal(e):
    # Version 2 has two classes of that name, so none is asked for. A connection that broke has no response, or `None`.
    response = getattr(e, "response", None)
    return isinstance(response, dict) and bool(response.get("Error"))

def refusal(e):
    # What the service says of it.
    if not is_refusal(e):
        raise e
    error = e.response["Error"]
    return {"code": str(error.get("Code", "Unknown")), "message": str(error.get("Message", ""))[:300]}

def access_list(c, name):
    try:
        acl = c.get_object_acl(**name)
        acl.pop("ResponseMetadata", None)
        return acl
    except Exception as e:
        return {"refused": refusal(e)["code"]}

def has_lists(c, bucket):
    try:
        rules = c.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
        return all(rule.get("ObjectOwnership") != "BucketOwnerEnforced" for rule in rules)
    except Exception as e:
        return bool(refusal(e))

def fetched(c, bucket, entry, where, with_lists):
    try:
        name = {"Bucket": bucket, "Key": entry["Key"]}
        head = c.get_object(**name)
        file = os.path.join(where, str(next(numbers)))
        with open(file, "wb") as f:
            for chunk in head.pop("Body").iter_chunks(1 << 20):
                f.write(chunk)
        head.pop("ResponseMetadata", None)
        out = {"file": file, "answer": head}
        # The size of its parts, and its tags.
        if "-" in head.get("ETag", ""):
            out["part"] = c.head_object(PartNumber=1, **name).get("ContentLength")
        if head.get("TagCount"):
            out["tags"] = c.get_object_tagging(**name)["TagSet"]
        if with_lists:
            out["acl"] = access_list(c, name)
        return out
    except Exception as e:
        return refusal(e)

def fetch_latest(c, bucket, answer, how):
    # What the bucket keeps no versions of, the smallest first, as far as it goes in one go.
    kept = c.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"
    wanted, left = [], how["bytes"]
    for entry in sorted(answer.get("Versions", []), key=lambda e: e.get("Size", 0)):
        is_ours = how.get("only") is None or entry["Key"] in how["only"]
        if not entry.get("IsLatest") or kept or entry.get("VersionId", "null") != "null" or not is_ours:
            continue
        left -= entry.get("Size", 0)
        if left < 0 or len(wanted) >= how["count"]:
            break
        wanted.append(entry)
    with_lists = bool(wanted) and has_lists(c, bucket)
    with ThreadPoolExecutor(THREADS) as inner:
        found = list(inner.map(lambda entry: fetched(c, bucket, entry, how["dir"], with_lists), wanted))
    return {entry["Key"]: one for entry, one in zip(wanted, found)}

def one(call):
    # Whose the credentials are is asked once.
    if call["service"] != "sts" or call["op"] != "get-caller-identity":
        return asked_for(call)
    with only_one:
        answer = WHO.get("answer") or asked_for(call)
        if "answer" in answer:
            WHO["answer"] = answer
        return answer

def asked_for(call):
    try:
        c = client(call["service"])
        method, model = operation(c, call["op"])
        if method is None:
            return {"code": "UnknownOperation", "message": call["op"]}
        params = dict(call.get("input") or {})
        members = model.input_shape.members if model.input_shape else {}
        for option, values in (call.get("loose") or {}).items():
            wanted = option.replace("-", "").lower()
            for name, shape in members.items():
                if name.lower() in (wanted, wanted + "s"):
                    params[name] = values if shape.type_name == "list" else values[0]
        if call.get("loose") and not params:
            return {"code": "ParamValidation", "message": "none of its parameters is known"}
        odd = [k for k in params if k not in members]
        if odd:
            return {"code": "ParamValidation", "message": "no such parameter: " + ", ".join(odd)}
        params = decoded(params, model.input_shape)
        if call.get("body"):
            with open(call["body"], "rb") as f:
                answer = getattr(c, method)(Body=f, **params)
        elif call.get("out"):
            answer = getattr(c, method)(**params)
            with open(call["out"], "wb") as f:
                for chunk in answer.pop("Body").iter_chunks(1 << 20):
                    f.write(chunk)
        elif c.can_paginate(method) and not call.get("one_page"):
            answer = c.get_paginator(method).paginate(**params).build_full_result()
        else:
            answer = getattr(c, method)(**params)
        if isinstance(answer, dict):
            answer.pop("ResponseMetadata", None)
        if call.get("fetch"):
            answer["Fetched"] = fetch_latest(c, params["Bucket"], answer, call["fetch"])
        return {"answer": answer}
    except BaseException as e:
        if is_refusal(e):
            return refusal(e)
        return {"code": type(e).__name__, "message": str(e)[:300]}

region = args.region or session.get_config_variable("region")
with ThreadPoolExecutor(THREADS) as pool:
    while True:
        json.dump({"region": region, "answers": list(pool.map(one, asked["calls"]))}, out, default=plain)
        print(file=out, flush=True)
        line = sys.stdin.buffer.readline()
        if not line:
            break
        asked = json.loads(line)
os._exit(0)
