"""moto's server as AWS's queues and topics: an SNS that fans out to an SQS on a real port, and boto3 beside it."""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import AbstractContextManager
from typing import Any

import httpx

from hub.sdk.testing.process import free_port
from tests.peers.environments import environment

#: It brings a Flask and a boto3 of its own, and so has an environment of its own.
REQUIREMENTS = ("moto==5.2.5", "boto3==1.44.8", "flask==3.1.3", "flask-cors==6.0.5")
REGION = "eu-west-2"

_DO = """
import json, sys, boto3
said = json.load(sys.stdin)
about = dict(endpoint_url=said["url"], region_name=said["region"], aws_access_key_id="a", aws_secret_access_key="b")
sqs, sns = boto3.client("sqs", **about), boto3.client("sns", **about)
queue = sqs.create_queue(QueueName="hub")["QueueUrl"]
for message in said["messages"]:
    topic = sns.create_topic(Name="domain-events")["TopicArn"]
    name = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=name)
    kind = {"eventType": {"DataType": "String", "StringValue": message["eventType"]}}
    sns.publish(TopicArn=topic, Message=json.dumps(message), MessageAttributes=kind)
for body in said["again"]:
    sqs.send_message(QueueUrl=queue, MessageBody=body)
if said["sign"]:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    import datetime, botocore.auth
    of = said["sign"]
    request = AWSRequest("POST", "https://" + of["host"] + "/", data=of["body"].encode(), headers=of["headers"])
    signer = SigV4Auth(Credentials(*of["keys"]), "sqs", said["region"])
    request.context["timestamp"] = of["at"]
    request.headers["X-Amz-Date"] = of["at"]
    request.headers["X-Amz-Security-Token"] = of["keys"][2]
    asked = signer.canonical_request(request)
    print(json.dumps(signer.signature(signer.string_to_sign(request, asked), request)))
else:
    print(json.dumps(queue))
"""


class QueueServer(AbstractContextManager["QueueServer"]):
    """The server as a process; it forgets everything when it ends."""

    def __init__(self) -> None:
        self._python = environment("queue", *REQUIREMENTS)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [str(self._python), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdout=quiet, stderr=quiet)

    def __enter__(self) -> QueueServer:
        until = time.monotonic() + 60
        while time.monotonic() < until and self._process.poll() is None:
            try:
                httpx.get(f"{self.url}/moto-api/").raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.05)  # it says nowhere that it listens
            else:
                return self
        raise RuntimeError("the queue server did not start")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)

    def forget(self) -> None:
        """Empty everything."""
        httpx.post(f"{self.url}/moto-api/reset").raise_for_status()

    def publish(self, *messages: dict[str, Any], again: tuple[str, ...] = ()) -> str:
        """Publish domain events to a topic that our queue hears, and put bodies into it; returns the queue's URL."""
        return str(self._do(messages=messages, again=again))

    def signature(self, **about: Any) -> str:
        """Return what AWS's own library signs a request with."""
        return str(self._do(sign=about))

    def _do(self, **said: Any) -> Any:
        whole = {"url": self.url, "region": REGION, "messages": (), "again": (), "sign": None} | said
        command = [str(self._python), "-c", _DO]
        ran = subprocess.run(command, input=json.dumps(whole), capture_output=True, text=True, timeout=60, check=True)
        return json.loads(ran.stdout)
