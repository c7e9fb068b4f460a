//! A certificate authority for tests, and what it issues.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// An authority whose certificate clients may choose to trust.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// When a certificate is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Now.
    Current,
    /// It was, years ago.
    Expired,
    /// Not before long.
    NotYet,
}

/// A certificate with its private key, in PEM.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The certificate.
    pub cert_pem: String,
    /// The key.
    pub key_pem: String,
}

impl Authority {
    /// An authority with a fresh key.
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Squall test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().expect("a key can be generated");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("the parameters are valid");
        Self { issuer }
    }

    /// Its certificate in PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Credentials of a server called `names` (DNS names or addresses).
    pub fn server(&self, names: &[&str], validity: Validity) -> Credentials {
        self.issue(names, validity, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// Credentials of a client.
    pub fn client(&self, name: &str) -> Credentials {
        self.issue(&[name], Validity::Current, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn issue(&self, names: &[&str], validity: Validity, usage: ExtendedKeyUsagePurpose) -> Credentials {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names are ASCII");
        params.extended_key_usages = vec![usage];
        let (from, until) = match validity {
            Validity::Current => (2020, 4000),
            Validity::Expired => (2000, 2001),
            Validity::NotYet => (3000, 4000),
        };
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().expect("a key can be generated");
        let certificate = params.signed_by(&key, &self.issuer).expect("the issuer can sign");
        Credentials { cert_pem: certificate.pem(), key_pem: key.serialize_pem() }
    }

    fn client_verifier(&self) -> Arc<dyn rustls::server::danger::ClientCertVerifier> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("its own certificate is valid");
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .expect("there is a root")
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Credentials {
    /// Credentials of a server that is its own authority, as `openssl req -x509` makes them.
    pub fn self_signed(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names are ASCII");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key can be generated");
        let certificate = params.self_signed(&key).expect("a certificate can sign itself");
        Self { cert_pem: certificate.pem(), key_pem: key.serialize_pem() }
    }

    /// A server that shows these credentials and speaks `protocols` (ALPN, best first). With an
    /// authority it wants a certificate of it from every client.
    pub fn server_config(
        &self,
        protocols: &[&str],
        client_authority: Option<&Authority>,
    ) -> Arc<ServerConfig> {
        let certificate = CertificateDer::from_pem_slice(self.cert_pem.as_bytes()).expect("it is PEM");
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()).expect("it is PEM");
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("the provider has suites for both versions");
        let builder = match client_authority {
            Some(authority) => builder.with_client_cert_verifier(authority.client_verifier()),
            None => builder.with_no_client_auth(),
        };
        let mut config =
            builder.with_single_cert(vec![certificate], key).expect("the key fits the certificate");
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
