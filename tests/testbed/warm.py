"""A Python that has read what the AWS command line and boto3 need, and forks for each program that is to run: the same code,
without half a second of starting it. `python` and `aws` in the directory are what programs call."""
import os, sys, socket, json, select, signal, struct

STUB = """#!/usr/bin/python3 -ISE
import array, json, os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(%r)
ask = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
s.sendmsg([len(ask).to_bytes(8, 'big')], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0, 1, 2]))])
s.sendall(ask)
code = s.recv(4)
os._exit(int.from_bytes(code, 'big') if len(code) == 4 else 70)
"""


def executable(path, text):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, 0o755)


def keep_files():
    # What is read of the models is only read once; each program still makes its own session of it.
    from botocore import loaders
    real, kept = loaders.JSONFileLoader.load_file, {}

    def load(self, path):
        if path not in kept:
            kept[path] = real(self, path)
        return kept[path]

    loaders.JSONFileLoader.load_file = load


def read_ahead(services):
    import botocore.session
    loader = botocore.session.Session().get_component("data_loader")
    for name in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
        try:
            loader.load_data(name)
        except Exception:
            pass
    for service in services:
        for kind in ("service-2", "paginators-1", "endpoint-rule-set-1", "service-2.sdk-extras"):
            try:
                loader.load_service_model(service, kind)
            except Exception:
                pass


def program(argv, env, cwd):
    import random
    random.seed()
    data = os.environ.get("AWS_DATA_PATH")  # set where awscli is imported
    os.environ.clear()
    os.environ.update(env)
    if data:
        os.environ.setdefault("AWS_DATA_PATH", data)
    os.chdir(cwd)
    sys.stdin = os.fdopen(0, "r", encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    try:
        if argv[0] == "-c":
            sys.argv = ["-c"] + argv[2:]
            exec(compile(argv[1], "<string>", "exec"), {"__name__": "__main__"})
            return 0
        if argv[0] == "-":
            exec(compile(sys.stdin.read(), "<stdin>", "exec"), {"__name__": "__main__"})
            return 0
        sys.argv = argv
        import awscli.clidriver
        return awscli.clidriver.main()
    except SystemExit as e:
        return e.code if isinstance(e.code, int) else (0 if e.code is None else 1)
    except BaseException:
        import traceback
        traceback.print_exc()
        return 1


def serve_one(conn):
    head, ancillary, _, _ = conn.recvmsg(8, socket.CMSG_SPACE(12))
    fds = [fd for _, _, data in ancillary for fd in struct.unpack("3i", data)]
    need = int.from_bytes(head, "big")
    text = b""
    while len(text) < need:
        text += conn.recv(need - len(text))
    for to, fd in enumerate(fds):
        os.dup2(fd, to)
        os.close(fd)
    import threading

    def watch():
        conn.recv(1)  # the program that was called is gone: killed
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    code = program(*json.loads(text))
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            pass
    for fd in (0, 1, 2):
        os.close(fd)
    conn.sendall(((code or 0) & 0xFF).to_bytes(4, "big"))
    os._exit(0)


def main(where, parent):
    """Serves until `parent`, a pipe, ends."""
    import threading, queue, concurrent.futures.thread  # noqa: F401
    import boto3, hashlib, datetime  # noqa: F401
    try:
        import awscli.clidriver, awscli.customizations.s3.subcommands, awscli.handlers, awscli.customizations.cloudformation  # noqa: F401
        has_aws = True
    except ImportError:
        has_aws = False
    keep_files()
    read_ahead("sts s3 ec2 iam ssm dynamodb rds kms secretsmanager sqs sns logs lambda route53 ecs ecr eks elbv2 autoscaling "
               "cloudformation cloudwatch cloudtrail events efs".split())
    import gc
    gc.collect()
    gc.freeze()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.join(where, "socket"))
    listener.listen(64)
    executable(os.path.join(where, "python"), STUB % os.path.join(where, "socket"))
    if has_aws:
        executable(os.path.join(where, "aws"), "#!%s\n" % os.path.join(where, "python"))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with open(os.path.join(where, "ready"), "w"):
        pass
    while True:
        ready, _, _ = select.select([listener, parent], [], [])
        if parent in ready:
            os._exit(0)
        conn, _ = listener.accept()
        if os.fork() == 0:
            try:
                listener.close()
                os.close(parent)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                serve_one(conn)
            finally:
                os._exit(70)
        conn.close()
