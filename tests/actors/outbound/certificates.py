"""An authority of certificates, and the one it gave to receiver.example, valid until 2126.

The keys are for tests only. Made with openssl: a P-256 key each, and `subjectAltName`.
"""

import ssl
from pathlib import Path

AUTHORITY = """\
-----BEGIN CERTIFICATE-----
MIIBnzCCAUWgAwIBAgIUNg7pdVWKRqLUSXUQvhPN1TZ8A+QwCgYIKoZIzj0EAwIw
HDEaMBgGA1UEAwwRYXV0aG9yaXR5LmV4YW1wbGUwIBcNMjYxMTI4MTIwNTE3WhgP
MjEyNjExMDQxMjA1MTdaMBwxGjAYBgNVBAMMEWF1dGhvcml0eS5leGFtcGxlMFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKReElH9NJiWT5c3NZBLiGiDL3GmAX3Hv
A0i2UnWMrH9JYepz/OfDZSjJHVheG0eHW6fmrPxsfuyLKS+xtn/cA6NjMGEwHQYD
VR0OBBYEFGzxLU27GCfQ1C5F4DU3K+HBiM45MB8GA1UdIwQYMBaAFGzxLU27GCfQ
1C5F4DU3K+HBiM45MA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgEGMAoG
CCqGSM49BAMCA0gAMEUCIQC3zLpCKdBc8Xajp3HaqQqxRB8bWfW7G0ipGypYHkJ0
VAIgWH14bV5USorVjDXyEP08wVdcYg2e4yw1IlZaxy6YljM=
-----END CERTIFICATE-----
"""

RECEIVER = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg3uMe2qz0vyuNuWJX
6KVyyxYVWr4Em7iSkwzH4zpbKnmhRANCAAR8h+iFijRaBLt+KcDEGGFNF4iKfCUS
BkT1ablJukzJXlbTbXqwg8oDM/jHxnpMIDl183qhZh808hWU/3h6lBv4
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBpDCCAUugAwIBAgIUUdukrqTkiIOdUlai3NWVsvOtoWYwCgYIKoZIzj0EAwIw
HDEaMBgGA1UEAwwRYXV0aG9yaXR5LmV4YW1wbGUwIBcNMjYxMTI4MTIwNTE3WhgP
MjEyNjExMDQxMjA1MTdaMBsxGTAXBgNVBAMMEHJlY2VpdmVyLmV4YW1wbGUwWTAT
BgcqhkjOPQIBBggqhkjOPQMBBwNCAAR8h+iFijRaBLt+KcDEGGFNF4iKfCUSBkT1
ablJukzJXlbTbXqwg8oDM/jHxnpMIDl183qhZh808hWU/3h6lBv4o2owaDAbBgNV
HREEFDASghByZWNlaXZlci5leGFtcGxlMAkGA1UdEwQCMAAwHwYDVR0jBBgwFoAU
bPEtTbsYJ9DULkXgNTcr4cGIzjkwHQYDVR0OBBYEFEv9oRefFm8M2FRzxBUtao7D
/Q4oMAoGCCqGSM49BAMCA0cAMEQCIBh57tBhhyMxLsrijZIOiXQiPG16mjQRDK3z
F432D/P4AiAWHdc5XM0XQ/dMSg1b1xpr+h8EqI1KZmZ7SyQE8da/Eg==
-----END CERTIFICATE-----
"""


def receiver_tls(folder: Path) -> ssl.SSLContext:
    """Of a receiver called receiver.example."""
    path = folder / "receiver.pem"
    path.write_text(RECEIVER)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def trusting() -> ssl.SSLContext:
    """Of a client that knows the authority and no other."""
    return ssl.create_default_context(cadata=AUTHORITY)
