"""A certificate authority of the pretend store's own, made at start: what TRACKSYNC_CA_BUNDLE is for."""

from __future__ import annotations

import datetime
import ipaddress
import pathlib
import ssl
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

GOOD_FOR = datetime.timedelta(days=7)


def folder(port: int) -> pathlib.Path:
    """Where the server on this port keeps its certificates: whoever knows the port finds the authority's."""
    return pathlib.Path(tempfile.gettempdir()) / f"pretend-woocommerce-{port}"


def bundle(port: int) -> str:
    """The authority's certificate (PEM) of the server on this port."""
    return str(folder(port) / "authority.pem")


def context(port: int) -> ssl.SSLContext:
    """Make the authority and a certificate for 127.0.0.1 and localhost; what a server on this port needs for HTTPS."""
    place = folder(port)
    place.mkdir(mode=0o700, exist_ok=True)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name, name = _name("Pretend WooCommerce authority"), _name("localhost")
    ca = _builder(ca_name, ca_name, ca_key.public_key(), ca_key.public_key(), is_authority=True)
    leaf = _builder(name, ca_name, key.public_key(), ca_key.public_key(), is_authority=False)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    leaf = leaf.add_extension(x509.SubjectAlternativeName(names), critical=False)
    leaf = leaf.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    pem = serialization.Encoding.PEM
    (place / "authority.pem").write_bytes(ca.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (place / "server.pem").write_bytes(secret + leaf.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(place / "server.pem")
    return made


def forget(port: int) -> None:
    """Take the files away."""
    for file in ("authority.pem", "server.pem"):
        (folder(port) / file).unlink(missing_ok=True)
    if folder(port).is_dir():
        folder(port).rmdir()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    name: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
    *,
    is_authority: bool,
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + GOOD_FOR)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )
