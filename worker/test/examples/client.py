"""A client by the ConfigMap and the Secret of this stack: pip install temporalio cryptography"""

import base64
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import temporalio.converter
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import PayloadCodec

PLAIN_ID = b"binary/encrypted"
BOUND = b"binary/encrypted-for-workflow"


class KeyringCodec(PayloadCodec):
    """Writes binary/encrypted, and reads that and what workers bind to their workflow."""

    def __init__(self, keys: dict[str, bytes], active: str) -> None:
        self._keys = keys
        self._active = active

    @classmethod
    def from_folder(cls, folder: str, active: str) -> "KeyringCodec":
        """From a mounted Secret: a file for each key, its id as the name."""
        files = [file for file in Path(folder).iterdir() if not file.name.startswith(".")]
        return cls({file.name: base64.b64decode(file.read_bytes()) for file in files}, active)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._seal(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._open(payload) for payload in payloads]

    def _seal(self, payload: Payload) -> Payload:
        nonce = os.urandom(12)
        sealed = AESGCM(self._keys[self._active]).encrypt(nonce, payload.SerializeToString(), None)
        metadata = {"encoding": PLAIN_ID, "encryption-key-id": self._active.encode()}
        return Payload(metadata=metadata, data=nonce + sealed)

    def _open(self, payload: Payload) -> Payload:
        encoding = payload.metadata.get("encoding")
        if encoding not in (PLAIN_ID, BOUND):
            return payload
        key_id = payload.metadata["encryption-key-id"]
        bound = b"\0".join([BOUND, key_id, payload.metadata.get("encryption-workflow-id", b"")])
        cipher = AESGCM(self._keys[key_id.decode()])
        opened = cipher.decrypt(payload.data[:12], payload.data[12:], bound if encoding == BOUND else None)
        return Payload.FromString(opened)


async def connect() -> Client:
    codec = KeyringCodec.from_folder("/var/run/temporal-keys", os.environ["CODEC_ACTIVE_KEY"])
    return await Client.connect(
        os.environ["TEMPORAL_ADDRESS"],
        namespace=os.environ["TEMPORAL_NAMESPACE"],
        tls=os.environ["TEMPORAL_TLS"] == "true",
        data_converter=replace(temporalio.converter.default(), payload_codec=codec),
    )
