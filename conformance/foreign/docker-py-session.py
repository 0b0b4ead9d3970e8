"""Sessions of docker-py with an engine: `docker-py-session.py NAME…` holds those, some at a time.

DOCKER_HOST names the engine, which has `busybox:latest`; SESSION_IMAGE is that image as a file. As each session ends, a line
`{"session": NAME, "failure": TRACEBACK or null}` is printed. One process for all, because importing docker takes half a second.
"""

import io
import itertools
import json
import os
import socket
import sys
import tarfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import docker
from docker.errors import APIError, ContainerError, ImageNotFound, NotFound
from docker.types import Mount, Ulimit
from docker.utils.socket import STDERR, STDOUT, frames_iter
from requests.exceptions import ConnectionError, ReadTimeout

AT_ONCE = 4
SPEAKS = ["sh", "-c", "echo out; echo err >&2; exit 3"]


def equal(actual, expected):
    assert actual == expected, f"{actual!r} is not {expected!r}"


def raises(kind, status, words, call):
    """Calls what has to fail in this way."""
    try:
        call()
    except kind as error:
        equal(error.status_code, status)
        assert words in error.explanation, error.explanation
        return
    raise AssertionError(f"no {kind.__name__}")


class Sleeper:
    """A container that sleeps, and is gone afterwards."""

    def __init__(self, client, **options):
        self.container = client.containers.run("busybox", ["sleep", "1000"], detach=True, **options)

    def __enter__(self):
        return self.container

    def __exit__(self, *_):
        self.container.remove(force=True, v=True)


def run_gives_output(client):
    equal(client.containers.run("busybox", ["echo", "hello"], remove=True), b"hello\n")
    equal(client.containers.run("busybox", "sh -c 'echo err >&2'", remove=True, stderr=True, stdout=False), b"err\n")
    equal(client.containers.run("busybox", ["tty"], remove=True, tty=True)[:5], b"/dev/")
    lines = client.containers.run("busybox", ["sh", "-c", "echo one; echo two"], remove=True, stream=True)
    equal(b"".join(lines), b"one\ntwo\n")


def run_tells_failures(client):
    try:
        client.containers.run("busybox", SPEAKS, remove=True)
        raise AssertionError("no ContainerError")
    except ContainerError as error:
        equal((error.exit_status, error.stderr), (3, b"err\n"))
    raises(ImageNotFound, 404, "No such image: nosuch:latest", lambda: client.containers.create("nosuch"))
    raises(APIError, 400, "executable file not found", lambda: client.containers.run("busybox", "nosuch", remove=True))
    raises(NotFound, 404, "No such container: nosuch", lambda: client.containers.get("nosuch"))
    with Sleeper(client, name="py-taken"):
        raises(APIError, 409, "is already in use", lambda: client.containers.create("busybox", name="py-taken"))


def options_are_honoured(client):
    options = {
        "hostname": "box", "working_dir": "/tmp", "user": "nobody", "environment": {"A": "b"}, "labels": {"k": "v"},
        "mem_limit": "64m", "pids_limit": 20, "cpu_shares": 512, "init": True, "read_only": True,
        "tmpfs": {"/scratch": "size=1m"}, "ulimits": [Ulimit(name="nofile", soft=64, hard=128)], "cap_drop": ["NET_RAW"],
        "extra_hosts": {"elsewhere": "10.1.2.3"}, "sysctls": {"net.ipv4.ip_forward": "1"}, "group_add": ["users"],
        "restart_policy": {"Name": "on-failure", "MaximumRetryCount": 2}, "stop_signal": "SIGINT", "shm_size": "8m",
    }  # fmt: skip
    with Sleeper(client, **options) as container:
        script = "hostname; pwd; id -un; echo $A; ulimit -n; grep -c elsewhere /etc/hosts; cat /proc/1/comm; df -k /scratch | tail -1"
        said = container.exec_run(["sh", "-c", script]).output.decode().split("\n")
        equal(said[:7], ["box", "/tmp", "nobody", "b", "64", "1", said[6]])
        assert said[6] in ("tini", "docker-init"), said
        assert " 1024 " in said[7], said
        host_config = container.attrs["HostConfig"]
        equal((host_config["Memory"], host_config["PidsLimit"]), (64 * 1024 * 1024, 20))
        equal(container.labels, {"k": "v"})
        container.update(mem_limit="32m", memswap_limit="64m")
        container.reload()
        equal(container.attrs["HostConfig"]["Memory"], 32 * 1024 * 1024)


def exec_in_every_way(client):
    with Sleeper(client) as container:
        exit_code, output = container.exec_run(SPEAKS)
        equal((exit_code, sorted(output.splitlines())), (3, [b"err", b"out"]))
        equal(tuple(container.exec_run(SPEAKS, demux=True)), (3, (b"out\n", b"err\n")))
        equal(b"".join(container.exec_run(["echo", "streamed"], stream=True).output), b"streamed\n")
        pairs = list(container.exec_run(SPEAKS, stream=True, demux=True).output)
        equal(b"".join(out for out, _ in pairs if out), b"out\n")
        equal(b"".join(err for _, err in pairs if err), b"err\n")
        options = {"user": "nobody", "environment": ["A=b"], "workdir": "/tmp", "tty": True}
        equal(container.exec_run(["sh", "-c", "id -un; echo $A; pwd"], **options).output, b"nobody\r\nb\r\n/tmp\r\n")
        equal(container.exec_run(["touch", "/made"], detach=True).output, "")
        while container.exec_run(["test", "-e", "/made"]).exit_code != 0:
            time.sleep(0.02)
        container.pause()
        raises(APIError, 409, "is paused", lambda: container.exec_run("true"))


def exec_with_input(client):
    with Sleeper(client) as container:
        created = client.api.exec_create(container.id, ["sh", "-c", "cat; echo end >&2; exit 4"], stdin=True)
        stream = client.api.exec_start(created["Id"], socket=True)
        stream._sock.sendall(b"to its end\n")
        stream._sock.shutdown(socket.SHUT_WR)
        equal(sorted(frames_iter(stream, tty=False)), [(STDOUT, b"to its end\n"), (STDERR, b"end\n")])
        stream.close()
        inspected = client.api.exec_inspect(created["Id"])
        equal((inspected["Running"], inspected["ExitCode"]), (False, 4))
        terminal = client.api.exec_create(container.id, ["sh", "-c", "read line; stty size"], stdin=True, tty=True)
        stream = client.api.exec_start(terminal["Id"], socket=True, tty=True)
        client.api.exec_resize(terminal["Id"], height=31, width=97)
        stream._sock.sendall(b"go\n")
        screen = b"".join(data for _, data in frames_iter(stream, tty=True))
        equal(screen.split(b"\r\n")[-2], b"31 97")
        stream.close()


def attach_in_every_way(client):
    container = client.containers.create("busybox", ["cat"], stdin_open=True)
    stream = container.attach_socket(params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
    container.start()
    stream._sock.sendall(b"one\n")
    equal(next(frames_iter(stream, tty=False)), (STDOUT, b"one\n"))
    # Without its log: docker-py loses what comes in one packet with the head of the answer.
    second = container.attach(stream=True)
    stream._sock.sendall(b"two\n")
    equal(next(second), b"two\n")
    equal(next(frames_iter(stream, tty=False)), (STDOUT, b"two\n"))
    stream.close()
    container.kill()
    equal(list(second), [])
    container.remove()


def logs_in_every_way(client):
    container = client.containers.run(
        "busybox", ["sh", "-c", "echo one; sleep 0.3; echo two >&2; sleep 0.3; echo three"], detach=True
    )
    equal(b"".join(container.logs(stream=True, follow=True)), b"one\ntwo\nthree\n")
    container.wait()
    equal(container.logs(stdout=True, stderr=False), b"one\nthree\n")
    equal(container.logs(tail=1), b"three\n")
    stamp, words = container.logs(tail=1, timestamps=True).decode().split(" ")
    equal((len(stamp), words), (len("2026-11-22T04:42:28.700357478Z"), "three\n"))
    created = datetime.strptime(container.attrs["Created"][:19], "%Y-%m-%dT%H:%M:%S")
    equal(container.logs(since=created), b"one\ntwo\nthree\n")
    equal(container.logs(since=created.replace(year=created.year + 1)), b"")
    container.remove()


def verbs_change_the_state(client):
    with Sleeper(client, name="py-verbs") as container:
        container.start()
        equal(status(container), "running")
        container.pause()
        equal(status(container), "paused")
        container.unpause()
        container.rename("py-renamed")
        equal(client.containers.get("py-renamed").id, container.id)
        container.restart(timeout=0)
        container.stop(timeout=0)
        container.stop()
        equal(status(container), "exited")
        equal(container.wait()["StatusCode"], 137)
        container.start()
        container.kill(signal="SIGKILL")
        raises(APIError, 409, "is not running", container.kill)
        container.start()
        raises(APIError, 409, "", container.remove)
        try:
            container.wait(timeout=0.3)
            raise AssertionError("no timeout")
        except (ReadTimeout, ConnectionError):
            equal(status(container), "running")


def status(container):
    container.reload()
    return container.status


def lists_and_figures(client):
    with Sleeper(client, labels=["py-listed"]) as container:
        listed = client.containers.list(filters={"label": "py-listed", "status": "running"})
        equal([one.id for one in listed], [container.id])
        top = container.top(ps_args="-o pid,args")
        equal((top["Titles"], top["Processes"][0][-1]), (["PID", "COMMAND"], "sleep 1000"))
        sample = container.stats(stream=False)
        assert sample["memory_stats"]["usage"] > 0 and sample["precpu_stats"]["cpu_usage"]["total_usage"] > 0, sample
        first = next(container.stats(decode=True))
        equal((first["id"], first["pids_stats"]["current"]), (container.id, 1))
        container.exec_run(["touch", "/added"])
        assert {"Path": "/added", "Kind": 1} in container.diff(), container.diff()
    equal(client.containers.list(all=True, filters={"label": "py-listed"}), [])


def files_go_in_and_out(client):
    container = client.containers.create("busybox", ["cat", "/srv/file"])
    container.put_archive("/", tar_of("srv/file", b"kept"))
    bits, stat = container.get_archive("/srv/file")
    equal((stat["name"], stat["size"]), ("file", 4))
    equal(read_tar(b"".join(bits), "file"), b"kept")
    raises(NotFound, 404, "Could not find the file /nosuch", lambda: container.get_archive("/nosuch"))
    equal(read_tar(b"".join(container.export()), "srv/file"), b"kept")
    container.start()
    equal((container.wait()["StatusCode"], container.logs()), (0, b"kept"))
    image = container.commit(repository="py-committed", tag="v1", changes='CMD ["cat", "/srv/file"]')
    equal(client.containers.run("py-committed:v1", remove=True), b"kept")
    container.remove()
    client.images.remove(image.id)


def tar_of(name, content):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def read_tar(data, name):
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return archive.extractfile(name).read()


def images_come_and_go(client):
    with open(os.environ["SESSION_IMAGE"], "rb") as file:
        [loaded] = client.images.load(file.read())
    assert "busybox:latest" in loaded.tags, loaded.tags
    assert loaded.tag("py-tagged", tag="v1")
    [listed] = client.images.list(name="py-tagged")
    equal(listed.id, loaded.id)
    equal(client.images.get("py-tagged:v1").id, loaded.id)
    assert loaded.history()[0]["Id"] == loaded.id
    client.images.remove("py-tagged:v1")
    raises(ImageNotFound, 404, "No such image", lambda: client.images.get("py-tagged:v1"))
    with Sleeper(client):
        raises(APIError, 409, "must force", lambda: client.images.remove("busybox"))


def events_tell_what_happens(client):
    since = int(time.time()) - 1
    live = client.events(decode=True, filters={"container": "py-events", "type": "container"})
    container = client.containers.run("busybox", ["true"], name="py-events", detach=True)
    container.wait()
    container.remove()
    heard = list(itertools.islice(live, 4))
    live.close()
    equal([event["Action"] for event in heard], ["create", "start", "die", "destroy"])
    equal(heard[2]["Actor"]["Attributes"]["exitCode"], "0")
    past = client.events(decode=True, since=since, until=int(time.time()) + 1, filters={"container": "py-events"})
    equal([event["timeNano"] for event in past if event["Type"] == "container"], [event["timeNano"] for event in heard])


def volumes_keep_files(client):
    volume = client.volumes.create("py-volume", labels={"of": "docker-py"})
    equal([one.name for one in client.volumes.list(filters={"label": "of=docker-py"})], ["py-volume"])
    client.containers.run("busybox", ["touch", "/kept/file"], volumes={"py-volume": {"bind": "/kept"}}, remove=True)
    mounts = [Mount("/kept", "py-volume", read_only=True)]
    equal(client.containers.run("busybox", ["ls", "/kept"], mounts=mounts, remove=True), b"file\n")
    volume.remove()
    raises(NotFound, 404, "no such volume", lambda: client.volumes.get("py-volume"))


def health_is_watched(client):
    check = {"test": ["CMD", "true"], "interval": 1_000_000_000 // 10}
    with Sleeper(client, healthcheck=check) as container:
        until = time.monotonic() + 10
        while container.attrs["State"].get("Health", {}).get("Status") != "healthy":
            assert time.monotonic() < until, container.attrs["State"]
            time.sleep(0.05)
            container.reload()


def the_engine_tells_of_itself(client):
    assert client.ping()
    equal(client.version()["Os"], "linux")
    assert client.info()["NCPU"] > 0 and client.df()["Images"]
    raises(APIError, 503, "not a swarm manager", client.services.list)
    client.containers.create("busybox", labels=["py-pruned"])
    pruned = client.containers.prune(filters={"label": "py-pruned"})
    equal(len(pruned["ContainersDeleted"]), 1)


def hold(name):
    failure = None
    client = docker.DockerClient(base_url=os.environ["DOCKER_HOST"], version="auto")
    try:
        globals()[name](client)
    except Exception:
        failure = traceback.format_exc()
    client.close()
    print(json.dumps({"session": name, "failure": failure}), flush=True)


if __name__ == "__main__":
    with ThreadPoolExecutor(AT_ONCE) as pool:
        pool.map(hold, sys.argv[1:])
