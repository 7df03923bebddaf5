"""A certificate of a log server on this machine, which is its own authority, valid for a century.

The key is for tests only. Made with openssl: P-256, and `subjectAltName` localhost and 127.0.0.1.
"""

KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgC/ksER4j/pk9Lelh
w1+uU+Haa7W/y1wbM7gyc2kpdJmhRANCAARrX56ZSW7S5ahMWV/tAJnPcPtgqcgC
raBbP4HDS808W89vaQAwfIpsbPPAz/M5T4dCxOm1u5yfqKJU7t6ej51/
-----END PRIVATE KEY-----
"""

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBrTCCAVOgAwIBAgIUe8LGjTysU+h5YTuxQoHAkb9sq9owCgYIKoZIzj0EAwIw
HTEbMBkGA1UEAwwSbG9nLXNlcnZlci5leGFtcGxlMCAXDTI2MTEzMDAwNDg0M1oY
DzIxMjYxMTA2MDA0ODQzWjAdMRswGQYDVQQDDBJsb2ctc2VydmVyLmV4YW1wbGUw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARrX56ZSW7S5ahMWV/tAJnPcPtgqcgC
raBbP4HDS808W89vaQAwfIpsbPPAz/M5T4dCxOm1u5yfqKJU7t6ej51/o28wbTAd
BgNVHQ4EFgQUDsn3zcgRwjgiYYBOXzEHvOVOp4cwHwYDVR0jBBgwFoAUDsn3zcgR
wjgiYYBOXzEHvOVOp4cwDwYDVR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2Nh
bGhvc3SHBH8AAAEwCgYIKoZIzj0EAwIDSAAwRQIhAKQRR1imCBBFPbxbIMjNiSoH
Ja6qmpqUH+Y18aLhNgzbAiA5DlWWR3V/R5L0D06vA67IcHxtEMlESDm5GpdxZ4nT
iw==
-----END CERTIFICATE-----
"""
