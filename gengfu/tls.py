"""A private authority for the broker, and looking at certificates of any origin.

Keys are EC P-256: every device that speaks TLS 1.2 knows it, and a small processor verifies it in time.

Errors:
* TlsError: what was asked cannot be done; the text says why and what to do.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY, AUTHORITY_KEY = "ca.crt", "ca.key"
CERTIFICATE, KEY = "server.crt", "server.key"
AUTHORITY_YEARS: Final = 10
"""Chosen: about as long as a detector hangs, because changing what a device trusts means visiting it."""
SERVER_DAYS: Final = 825
"""Chosen: over two years. The limit of 398 days binds public authorities and browsers, not devices that trust
a private one; a certificate that runs out silences them all, one that is stolen is rather replaced with its
authority, because such devices read no revocation lists."""
WARN_DAYS: Final = 30
"""From then on `gengfu check` says that it ends."""
BACKDATED: Final = timedelta(days=1)
"""So that a device whose clock is behind takes it."""


class TlsError(Exception):
    """The certificate cannot be made or used."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One certificate, for people. `names` are DNS names and addresses; `fingerprint` is SHA-256."""

    file: str
    what: str
    names: tuple[str, ...]
    until: str
    days_left: int
    fingerprint: str


def make_authority(folder: Path, site: str, now: datetime) -> None:
    """A new authority in `folder`; never over an old one: devices trust that. Raises TlsError, OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (folder / AUTHORITY_KEY).exists() or (folder / AUTHORITY).exists():
        raise TlsError(f"{folder / AUTHORITY} is there already and devices trust it; `gengfu tls renew`")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _common_name(f"{site} authority"))])
    builder = (
        _builder(name, name, key.public_key(), now, timedelta(days=365 * AUTHORITY_YEARS + 2))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    _write(folder / AUTHORITY_KEY, _pem(key), 0o600)
    _write(folder / AUTHORITY, builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM), 0o644)


def make_server(folder: Path, names: Sequence[str], now: datetime) -> None:
    """A new key and certificate of the broker for `names` (DNS names or addresses), by the authority there.

    Raises TlsError, OSError.
    """
    authority, signer = _authority(folder)
    until = now + timedelta(days=SERVER_DAYS)
    until = min(until, authority.not_valid_after_utc)
    if until <= now:
        raise TlsError(
            f"{folder / AUTHORITY} ended; make a new one in another folder and give it to the devices"
        )
    key = ec.generate_private_key(ec.SECP256R1())
    hosts = [check_host(one) for one in names]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _common_name(names[0]))])
    builder = (
        _builder(authority.subject, subject, key.public_key(), now, until - now)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    # The certificate last: the caretaker sees it change and has the broker read both.
    _write(folder / KEY, _pem(key), 0o600)
    _write(folder / CERTIFICATE, builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM), 0o644)


def names_of(path: Path) -> list[str]:
    """The names a certificate is for. Raises TlsError."""
    return list(_names(_load(path)))


def show(path: Path, what: str, now: datetime) -> Shown:
    """What a certificate is for and until when. Raises TlsError."""
    certificate = _load(path)
    end = certificate.not_valid_after_utc
    return Shown(
        file=str(path),
        what=what,
        names=_names(certificate),
        until=f"{end:%Y-%m-%d}",
        days_left=(end - now) // timedelta(days=1),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(":"),
    )


def fits(certificate: Path, key: Path) -> bool:
    """Whether both can be read and belong together."""
    try:
        loaded = _load(certificate)
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except (TlsError, OSError, ValueError, TypeError):
        return False
    return _public(private.public_key()) == _public(loaded.public_key())


def faults_of(certificate: Path, key: Path, authority: Path | None, now: datetime) -> list[str]:
    """What is wrong with the broker's certificate, in words; empty when nothing is."""
    try:
        loaded = _load(certificate)
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except TlsError as error:
        return [str(error)]
    except (OSError, ValueError, TypeError) as error:
        return [
            f"{key} cannot be used: {getattr(error, 'strerror', None) or 'not a PEM key without a password'}"
        ]
    wrong = []
    if _public(private.public_key()) != _public(loaded.public_key()):
        wrong.append(f"{key} is not the key of {certificate}")
    if loaded.not_valid_before_utc > now:
        wrong.append(f"{certificate} begins only at {loaded.not_valid_before_utc:%Y-%m-%d %H:%M}Z")
    left = (loaded.not_valid_after_utc - now) // timedelta(days=1)
    if left < WARN_DAYS:
        ends = f"ends in {left} days" if left >= 0 else f"ended {-left} days ago"
        wrong.append(f"{certificate} {ends}; `gengfu tls renew`, or a new one from your authority")
    if not _names(loaded):
        wrong.append(f"{certificate} names no host in subjectAltName; devices will not take it")
    if authority:
        wrong += _not_by(loaded, certificate, authority)
    return wrong


def _not_by(loaded: x509.Certificate, certificate: Path, authority: Path) -> list[str]:
    try:
        loaded.verify_directly_issued_by(_load(authority))
    except TlsError as error:
        return [str(error)]
    except (ValueError, TypeError, InvalidSignature):
        return [f"{certificate} is not issued by {authority} directly"]
    return []


def _common_name(text: str) -> str:
    """At most 64 bytes (X.520's limit); the names that count are in subjectAltName."""
    return text.encode()[:64].decode(errors="ignore")


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _load(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise TlsError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise TlsError(f"{path} is not a certificate in PEM form") from None


def _authority(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    certificate = _load(folder / AUTHORITY)
    try:
        key = serialization.load_pem_private_key((folder / AUTHORITY_KEY).read_bytes(), None)
    except OSError as error:
        raise TlsError(f"{folder / AUTHORITY_KEY} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError):
        raise TlsError(f"{folder / AUTHORITY_KEY} is not a key in PEM form") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TlsError(f"{folder / AUTHORITY_KEY} is not a key that this command made")
    return certificate, key


def _builder(
    issuer: x509.Name, subject: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - BACKDATED)
        .not_valid_after(now.astimezone(UTC) + life)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def check_host(text: str) -> x509.GeneralName:
    """A host name or an IP address, as a certificate holds it; raises TlsError."""
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    plain = text.removeprefix("*.").replace("-", "").replace(".", "")
    if not (plain.isascii() and plain.isalnum()) or len(text) > 253:
        raise TlsError(f"name {text!r}: a host name or an IP address is allowed")
    return x509.DNSName(text.lower())


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(one.value) for one in found)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, data: bytes, mode: int) -> None:
    """Whole or not at all; a key is never open to others, not for a moment."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(data)
        os.fchmod(out.fileno(), mode)  # a certificate is for others too, whatever the umask
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(path)
