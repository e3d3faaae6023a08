"""A real mosquitto with a listener of every kind and its certificates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gengfu.tls import make_authority, make_server
from ingest.source_settings import SourceSettings
from ingest.transport import Kind, Transport
from tests.ingest.mosquitto import Mosquitto, free_port

KINDS: tuple[Kind, ...] = ("tcp", "tls", "ws", "wss")
NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=1000)
"""A broker's certificate made then is good no longer, its authority still is."""


def make_certificates(folder: Path, names: Sequence[str] = ("127.0.0.1",), at: datetime = NOW) -> Path:
    """`ca.crt`, `server.crt` and `server.key` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    make_authority(folder, "test", at)
    make_server(folder, names, at)
    return folder


def make_client(folder: Path) -> Transport:
    """How one with a client's certificate by the authority in `folder` gets to its broker."""
    authority = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    signer = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ingest")]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    (folder / "client.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "client.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return Transport(
        "tls",
        authority=str(folder / "ca.crt"),
        certificate=str(folder / "client.crt"),
        certificate_key=str(folder / "client.key"),
    )


@dataclass
class Listeners:
    """`ports` by kind; `mutual` is over TLS for who shows a certificate of the same authority."""

    mosquitto: Mosquitto
    tls: Path
    ports: dict[Kind, int] = field(default_factory=dict)
    mutual: int = 0

    def transport(self, kind: Kind) -> Transport:
        authority = str(self.tls / "ca.crt") if kind in ("tls", "wss") else ""
        return Transport(kind, authority=authority)

    def settings(self, kind: Kind, *, name: str = "", port: int = 0) -> SourceSettings:
        return SourceSettings(
            "127.0.0.1",
            port or self.ports[kind],
            "ingest",
            ("gengfu/#", "t/#"),
            name=name,
            transport=self.transport(kind),
        )


@contextmanager
def listening(folder: Path, names: Sequence[str] = ("127.0.0.1",), at: datetime = NOW) -> Iterator[Listeners]:
    """One broker with a listener of every kind."""
    tls = make_certificates(folder / "tls", names, at)
    ports = {kind: free_port() for kind in KINDS[1:]}
    mutual = free_port()
    files = f"certfile {tls / 'server.crt'}\nkeyfile {tls / 'server.key'}\n"
    extra = (
        f"listener {ports['tls']} 127.0.0.1\n{files}"
        f"listener {ports['ws']} 127.0.0.1\nprotocol websockets\n"
        f"listener {ports['wss']} 127.0.0.1\nprotocol websockets\n{files}"
        f"listener {mutual} 127.0.0.1\n{files}cafile {tls / 'ca.crt'}\nrequire_certificate true\n"
    )
    with Mosquitto(folder, lambda text: f"{text}\n{extra}") as mosquitto:
        yield Listeners(mosquitto, tls, {"tcp": mosquitto.port, **ports}, mutual)
