"""A certificate authority of the tests, a server's and a client's certificate."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files for clients, and what servers use."""

    authority: Path
    client_certificate: Path
    client_key: Path
    other_authority: Path
    """One that signed nothing."""
    server_file: Path
    """Certificate and key of the server, also for the host `fronts`."""
    server: ssl.SSLContext
    """Asks for a client's certificate and refuses who has none."""


def make_certificates(folder: Path) -> Certificates:
    """All of them, freshly made for 127.0.0.1 and localhost."""
    authority = trustme.CA()
    server, own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), authority.issue_cert("127.0.0.1", "localhost", "fronts")
    own.configure_cert(server)
    authority.configure_trust(server)
    server.verify_mode = ssl.CERT_REQUIRED
    client = authority.issue_cert("langfuse@example.com")
    made = Certificates(
        authority=folder / "ca.pem",
        client_certificate=folder / "client.pem",
        client_key=folder / "client.key",
        other_authority=folder / "other.pem",
        server_file=folder / "server.pem",
        server=server,
    )
    own.private_key_and_cert_chain_pem.write_to_path(str(made.server_file))
    authority.cert_pem.write_to_path(str(made.authority))
    client.private_key_pem.write_to_path(str(made.client_key))
    client.cert_chain_pems[0].write_to_path(str(made.client_certificate))
    trustme.CA().cert_pem.write_to_path(str(made.other_authority))
    made.client_key.chmod(0o600)
    return made
