"""The story of a stop that lies, as docker-py tells it: a timeout of 2 s and a grace of 3 s. Exits with 1 when it times out."""

import sys

import docker
from requests.exceptions import ConnectionError, ReadTimeout

client = docker.from_env(timeout=2)
container = client.containers.get(sys.argv[1])
if len(sys.argv) > 2:
    print(container.exec_run(["sh", "-c", "exit 7"]).exit_code)
    sys.exit(0)
try:
    # docker-py adds the grace to its own timeout when it is given one; the call below it does not.
    response = client.api._post(client.api._url("/containers/{0}/stop", container.id), params={"t": 3}, timeout=2)
except (ReadTimeout, ConnectionError) as error:
    print(type(error).__name__)
    sys.exit(1)
