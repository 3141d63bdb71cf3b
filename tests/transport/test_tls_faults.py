"""OpenSSL's reasons in words: those that no peer of the other tests brings about."""

import ssl

import pytest
import trio

from whiteroute.engine.transport.tls_faults import explain_tls


def reason(text: str) -> ssl.SSLError:
    error = ssl.SSLError(1, text)
    error.reason = text
    return error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (reason("WRONG_VERSION_NUMBER"), "an answer that is not TLS, expected TLS"),
        (
            reason("UNSUPPORTED_PROTOCOL"),
            "the peer chose an older TLS, expected minimum_version at least",
        ),
        (
            reason("TLSV1_UNRECOGNIZED_NAME"),
            "the peer ended TLS with the alert unrecognized name (it does not know the name asked "
            "for by SNI: see server_name)",
        ),
        (reason("DH_KEY_TOO_SMALL"), "TLS failed: dh key too small"),
        (trio.ClosedResourceError("closed here"), "TLS failed: closed here"),
        (trio.ClosedResourceError(), "TLS failed: ClosedResourceError"),
    ],
)
def test_each_reason_has_words(error: Exception, text: str):
    fault = explain_tls(error)
    assert ("tls", text) == (fault.stage, str(fault))


def test_a_refused_handshake_means_something_else_with_a_certificate_of_ours():
    error = reason("SSLV3_ALERT_HANDSHAKE_FAILURE")
    assert "it wants a certificate of ours" in explain_tls(error).hint
    fault = explain_tls(error, own_certificate=True)
    assert "no cipher in common, or it refuses our certificate" == fault.hint


def test_a_certificate_that_fails_for_another_cause_is_told_in_openssl_s_words():
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = 26, "unsuitable certificate purpose"
    assert "the certificate does not hold: unsuitable certificate purpose" == str(
        explain_tls(error)
    )
    error.verify_code = 10
    assert "the certificate expired on a day that could not be read" == str(explain_tls(error))
