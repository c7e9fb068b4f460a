//! Which servers are trusted: webpki's judgement where it is Go's too, Go's where they differ.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};

/// Judges the certificates of servers. In any case a server must own the key of the certificate it shows.
#[derive(Debug)]
pub(crate) struct Verifier {
    provider: Arc<CryptoProvider>,
    trust: Trust,
}

#[derive(Debug)]
enum Trust {
    /// `insecureSkipTLSVerify`.
    Anyone,
    Roots {
        certificates: Vec<CertificateDer<'static>>,
        /// None without roots, which it cannot work with.
        webpki: Option<Arc<WebPkiServerVerifier>>,
    },
}

impl Verifier {
    /// Takes any certificate.
    pub(crate) fn trusting_anyone(provider: Arc<CryptoProvider>) -> Self {
        Self { provider, trust: Trust::Anyone }
    }

    /// Takes what `certificates` have signed, or are. Those that cannot be read are passed over.
    pub(crate) fn trusting(
        certificates: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates.iter().cloned());
        let webpki = (!roots.is_empty()).then(|| {
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
                .build()
                .expect("there are roots and no revocation lists")
        });
        Self { provider, trust: Trust::Roots { certificates, webpki } }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Trust::Roots { certificates, webpki } = &self.trust else {
            return Ok(ServerCertVerified::assertion());
        };
        let verdict = match webpki {
            Some(webpki) => {
                webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        let Err(Error::InvalidCertificate(reason)) = &verdict else { return verdict };
        let is_authority = is_authority(reason);
        let is_about_issuer =
            matches!(reason, CertificateError::UnknownIssuer | CertificateError::BadSignature);
        if !is_authority && !is_about_issuer {
            return verdict;
        }
        // Go looks at the name first.
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        // A server that shows its own authority's certificate, a self-signed one mostly: Go trusts it when it
        // is a root. webpki does not, but has seen that it is not expired before it says so.
        match is_authority && certificates.contains(end_entity) {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether the reason is that the certificate is an authority's.
fn is_authority(reason: &CertificateError) -> bool {
    let CertificateError::Other(OtherError(error)) = reason else { return false };
    matches!(error.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}
