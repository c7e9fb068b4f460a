//! Which servers are trusted: webpki's judgement where it is Go's too, Go's where they differ.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{
    CryptoProvider, verify_tls12_signature, verify_tls13_signature, verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
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
        if is_version(reason) {
            // Only version 3 has extensions, and only an extension has names that count.
            return Err(CertificateError::NotValidForName.into());
        }
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
        let algorithms = &self.provider.signature_verification_algorithms;
        if !matches!(self.trust, Trust::Anyone) {
            return verify_tls12_signature(message, cert, dss, algorithms);
        }
        let key = public_key(cert)?;
        let key = webpki::RawPublicKeyEntity::try_from(&key).map_err(|_| CertificateError::BadEncoding)?;
        let mut candidates =
            algorithms.mapping.iter().filter(|(scheme, _)| *scheme == dss.scheme).flat_map(|(_, them)| *them);
        match candidates.any(|algorithm| key.verify_signature(*algorithm, message, dss.signature()).is_ok()) {
            true => Ok(HandshakeSignatureValid::assertion()),
            false => Err(CertificateError::BadSignature.into()),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        match self.trust {
            Trust::Anyone => {
                verify_tls13_signature_with_raw_key(message, &public_key(cert)?, dss, algorithms)
            }
            Trust::Roots { .. } => verify_tls13_signature(message, cert, dss, algorithms),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The key of a certificate that webpki may refuse to read, such as one of X.509 version 1. `openssl x509 -req`
/// writes those unless it is given extensions, so test systems are full of them.
pub(crate) fn public_key<'a>(
    certificate: &'a CertificateDer<'_>,
) -> Result<SubjectPublicKeyInfoDer<'a>, Error> {
    let (_, certificate) =
        x509_parser::parse_x509_certificate(certificate).map_err(|_| CertificateError::BadEncoding)?;
    Ok(certificate.tbs_certificate.subject_pki.raw.into())
}

/// Whether the reason is that the certificate is older than X.509 version 3.
fn is_version(reason: &CertificateError) -> bool {
    let CertificateError::Other(OtherError(error)) = reason else { return false };
    matches!(error.downcast_ref(), Some(webpki::Error::UnsupportedCertVersion))
}

/// Whether the reason is that the certificate is an authority's.
fn is_authority(reason: &CertificateError) -> bool {
    let CertificateError::Other(OtherError(error)) = reason else { return false };
    matches!(error.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

#[cfg(test)]
mod tests {
    use rustls::crypto::aws_lc_rs;
    use rustls::pki_types::PrivateKeyDer;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::sign::{CertifiedKey, SingleCertAndKey};
    use rustls::version::{TLS12, TLS13};
    use rustls::{
        ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection, SupportedProtocolVersion,
    };

    use super::*;

    const VERSION_1_CERTIFICATE: &[u8] = include_bytes!("testdata/version-1.pem");
    const VERSION_1_KEY: &[u8] = include_bytes!("testdata/version-1.key");

    /// A handshake in memory with a server whose certificate is of X.509 version 1.
    fn handshake(
        verifier: fn(Arc<CryptoProvider>) -> Verifier,
        version: &'static SupportedProtocolVersion,
    ) -> Result<(), Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let key = PrivateKeyDer::from_pem_slice(VERSION_1_KEY).unwrap();
        let key = provider.key_provider.load_private_key(key).unwrap();
        let chain = vec![CertificateDer::from_pem_slice(VERSION_1_CERTIFICATE).unwrap()];
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[version])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key))));
        let client = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[version])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier(provider)))
            .with_no_client_auth();
        let mut server = Connection::from(ServerConnection::new(Arc::new(server))?);
        let name = ServerName::try_from("localhost").unwrap();
        let mut client = Connection::from(ClientConnection::new(Arc::new(client), name)?);
        while client.is_handshaking() || server.is_handshaking() {
            pass(&mut client, &mut server)?;
            pass(&mut server, &mut client)?;
        }
        Ok(())
    }

    fn pass(from: &mut Connection, to: &mut Connection) -> Result<(), Error> {
        let mut bytes = Vec::new();
        while from.wants_write() {
            from.write_tls(&mut bytes).unwrap();
        }
        let mut bytes = bytes.as_slice();
        while !bytes.is_empty() {
            to.read_tls(&mut bytes).unwrap();
            to.process_new_packets()?;
        }
        Ok(())
    }

    #[test]
    fn a_certificate_of_version_1_is_taken_unverified() {
        for version in [&TLS12, &TLS13] {
            assert_eq!(handshake(Verifier::trusting_anyone, version), Ok(()));
        }
    }

    #[test]
    fn a_certificate_of_version_1_has_no_names() {
        let trusting = |provider| {
            let root = squall_testing::Authority::new();
            let root = CertificateDer::from_pem_slice(root.pem().as_bytes()).unwrap();
            Verifier::trusting(vec![root], provider)
        };
        for version in [&TLS12, &TLS13] {
            let verdict = handshake(trusting, version);
            assert_eq!(verdict, Err(CertificateError::NotValidForName.into()));
        }
    }
}
