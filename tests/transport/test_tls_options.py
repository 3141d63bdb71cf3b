"""Faults of TLS options, told by their key before any bind, and files that are renewed."""

import os
from pathlib import Path

import pytest
import trustme

from whiteroute.engine.profile import TlsOptions
from whiteroute.engine.transport import TlsOptionError, check_tls
from whiteroute.engine.transport.tls_options import context_of


@pytest.fixture
def own(authority) -> tuple[str, str]:
    return authority.write(authority.issue("gateway.example.org"))


def fault(**options: object) -> TlsOptionError:
    with pytest.raises(TlsOptionError) as caught:
        check_tls(TlsOptions(**options))
    assert f"{caught.value.option}: {caught.value.found}, expected " in str(caught.value)
    return caught.value


def test_sound_options_are_passed_over(authority, own):
    certificate, key = own
    check_tls(TlsOptions())
    check_tls(TlsOptions(ca_file=authority.ca_file, certificate_file=certificate, key_file=key))
    check_tls(TlsOptions(verify="pinned", pins=("AB:" * 31 + "AB",)))


@pytest.mark.parametrize("option", ["ca_file", "certificate_file"])
def test_a_file_that_is_not_there(option):
    found = fault(**{option: "/nowhere/file.pem"})
    assert option == found.option
    assert "/nowhere/file.pem: No such file or directory" == found.found


def test_a_name_that_no_file_can_have():
    assert "ca_file" == fault(ca_file="a\0b").option


def test_a_folder_is_no_file(tmp_path):
    assert "ca_file" == fault(ca_file=str(tmp_path)).option
    assert "certificate_file" == fault(certificate_file=str(tmp_path)).option


def test_a_file_without_certificates(tmp_path):
    path = tmp_path / "ca.pem"
    path.write_text("nothing of the kind")
    found = fault(ca_file=str(path))
    assert ("ca_file", f"{path} holds none", "certificates in PEM") == (
        found.option,
        found.found,
        found.expected,
    )
    found = fault(certificate_file=str(path))
    assert ("certificate_file", f"no certificate in {path} that OpenSSL reads") == (
        found.option,
        found.found,
    )


def test_a_key_of_another_certificate(authority, own):
    _, other_key = authority.write(authority.issue("gateway.example.org"))
    found = fault(certificate_file=own[0], key_file=other_key)
    assert ("key_file", f"the key in {other_key}", f"the key of {own[0]}") == (
        found.option,
        found.found,
        found.expected,
    )


def test_a_certificate_without_its_key(own):
    found = fault(certificate_file=own[0])
    assert ("certificate_file", f"no key in {own[0]} that OpenSSL reads") == (
        found.option,
        found.found,
    )
    assert "key_file" == fault(certificate_file=own[0], key_file=own[0]).option


def test_a_key_without_its_certificate(own):
    found = fault(key_file=own[1])
    assert ("certificate_file", "none") == (found.option, found.found)


def test_an_encrypted_key_is_not_asked_for_at_the_terminal(own, tmp_path):
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    path = tmp_path / "key.pem"
    key = load_pem_private_key(Path(own[1]).read_bytes(), None)
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    )
    found = fault(certificate_file=own[0], key_file=str(path))
    assert ("key_file", f"the key in {path} is encrypted") == (found.option, found.found)


@pytest.mark.parametrize("pin", ["", "ab", "zz" * 32, "ab" * 33])
def test_a_pin_that_is_no_fingerprint(pin: str):
    found = fault(pins=(pin,))
    assert ("pins", repr(pin)) == (found.option, found.found)


def test_only_pins_count_and_there_are_none():
    assert ("pins", "none") == (fault(verify="pinned").option, fault(verify="pinned").found)


def test_settings_are_made_once(authority):
    options = TlsOptions(ca_file=authority.ca_file)
    assert context_of(options) is context_of(TlsOptions(ca_file=authority.ca_file))
    assert context_of(options) is not context_of(TlsOptions())


def test_a_file_that_is_renewed_is_read_again(tmp_path):
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    options = TlsOptions(ca_file=str(path))
    first = context_of(options)
    trustme.CA().cert_pem.write_to_path(str(path))
    os.utime(path, ns=(1, 1))
    second = context_of(options)
    assert first.get_ca_certs() != second.get_ca_certs()
    assert second is context_of(options)
