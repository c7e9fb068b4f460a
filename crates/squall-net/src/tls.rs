//! TLS as the options ask for it, on rustls: what it cannot do is refused before the run, in words.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{
    AlertDescription, CertificateError, CipherSuite as SuiteId, ClientConfig, ProtocolVersion,
    SignatureScheme, SupportedCipherSuite, SupportedProtocolVersion,
};
use squall_options::{CipherSuite, HostnamePatterns, TlsAuth, TlsVersion, TlsVersions};
use x509_parser::time::ASN1Time;

use crate::private_key::private_key;
use crate::verifier::{Verifier, public_key};
use crate::{ConfigError, NetError, code};

/// The TLS options of a run.
#[derive(Clone, Debug, Default)]
pub struct TlsConfig {
    /// `tlsVersion`: rustls speaks TLS 1.2 and 1.3.
    pub versions: TlsVersions,
    /// `tlsCipherSuites`; empty means all.
    pub cipher_suites: Vec<CipherSuite>,
    /// `insecureSkipTLSVerify`.
    pub insecure_skip_verify: bool,
    /// `tlsAuth`: certificates that prove who the client is.
    pub client_certificates: Vec<TlsAuth>,
    /// `SSL_CERT_FILE`: a PEM file of the certificate authorities to trust instead of the system's.
    pub roots_file: Option<PathBuf>,
    /// Certificate authorities to trust besides, in PEM.
    pub extra_roots_pem: Vec<String>,
}

/// What a handshake agreed on, in k6's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsInfo {
    /// `tls1.2` or `tls1.3`.
    pub version: &'static str,
    /// Go's name of the cipher suite.
    pub cipher_suite: &'static str,
}

/// The suites rustls has, under the names k6 gives them.
const CIPHER_SUITES: [(&str, SuiteId); 9] = [
    ("TLS_AES_128_GCM_SHA256", SuiteId::TLS13_AES_128_GCM_SHA256),
    ("TLS_AES_256_GCM_SHA384", SuiteId::TLS13_AES_256_GCM_SHA384),
    ("TLS_CHACHA20_POLY1305_SHA256", SuiteId::TLS13_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", SuiteId::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", SuiteId::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", SuiteId::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", SuiteId::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", SuiteId::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", SuiteId::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
];

/// Makes client configurations. Options are checked at once; the system's roots are read on first use.
#[derive(Debug)]
pub(crate) struct TlsClient {
    provider: Arc<CryptoProvider>,
    versions: Vec<&'static SupportedProtocolVersion>,
    identities: Vec<Identity>,
    insecure_skip_verify: bool,
    roots_file: Option<PathBuf>,
    extra_roots: Vec<CertificateDer<'static>>,
    verifier: OnceLock<Arc<dyn ServerCertVerifier>>,
    configs: Mutex<HashMap<Offer, Arc<ClientConfig>>>,
}

/// What connections to a host have in common.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Offer {
    /// The identities that the host may see, by index.
    identities: Vec<usize>,
    http2: bool,
}

#[derive(Clone, Debug)]
struct Identity {
    key: Arc<CertifiedKey>,
    /// The issuers of the chain, in DER: servers name the ones they accept.
    issuers: Vec<Vec<u8>>,
    domains: HostnamePatterns,
}

impl TlsClient {
    pub(crate) fn new(config: &TlsConfig) -> Result<Self, ConfigError> {
        let mut provider = aws_lc_rs::default_provider();
        let versions = versions(config.versions)?;
        if !config.cipher_suites.is_empty() {
            provider.cipher_suites = cipher_suites(&config.cipher_suites, &versions)?;
        }
        let provider = Arc::new(provider);
        let identities = config
            .client_certificates
            .iter()
            .map(|auth| Identity::new(auth, &provider))
            .collect::<Result<_, _>>()?;
        let mut extra_roots = Vec::new();
        for pem in &config.extra_roots_pem {
            extra_roots.extend(certificates(pem)?);
        }
        Ok(Self {
            provider,
            versions,
            identities,
            insecure_skip_verify: config.insecure_skip_verify,
            roots_file: config.roots_file.clone(),
            extra_roots,
            verifier: OnceLock::new(),
            configs: Mutex::default(),
        })
    }

    /// The configuration for connections to `host`.
    pub(crate) fn config_for(&self, host: &str, http2: bool) -> Arc<ClientConfig> {
        let identities = self
            .identities
            .iter()
            .enumerate()
            .filter(|(_, identity)| identity.domains.is_empty() || identity.domains.matches(host))
            .map(|(index, _)| index)
            .collect();
        let mut configs = self.configs.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let offer = Offer { identities, http2 };
        if let Some(config) = configs.get(&offer) {
            return config.clone();
        }
        let config = Arc::new(self.build(&offer));
        configs.insert(offer, config.clone());
        config
    }

    fn build(&self, offer: &Offer) -> ClientConfig {
        let builder = ClientConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&self.versions)
            .expect("versions and suites were checked together")
            .dangerous()
            .with_custom_certificate_verifier(self.verifier());
        let identities: Vec<_> =
            offer.identities.iter().map(|index| self.identities[*index].clone()).collect();
        let mut config = match identities.is_empty() {
            true => builder.with_no_client_auth(),
            false => builder.with_client_cert_resolver(Arc::new(Identities(identities))),
        };
        config.alpn_protocols = match offer.http2 {
            true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            false => vec![b"http/1.1".to_vec()],
        };
        // k6 keeps no sessions: each handshake is a full one, as from a new user.
        config.resumption = Resumption::disabled();
        config.key_log = Arc::new(rustls::KeyLogFile::new());
        config
    }

    fn verifier(&self) -> Arc<dyn ServerCertVerifier> {
        self.verifier.get_or_init(|| self.build_verifier()).clone()
    }

    fn build_verifier(&self) -> Arc<dyn ServerCertVerifier> {
        let provider = self.provider.clone();
        if self.insecure_skip_verify {
            return Arc::new(Verifier::trusting_anyone(provider));
        }
        let native = match &self.roots_file {
            Some(file) => rustls_native_certs::load_certs_from_paths(Some(file), None),
            None => rustls_native_certs::load_native_certs(),
        };
        for error in &native.errors {
            tracing::debug!(%error, "a root certificate could not be read");
        }
        let mut roots = native.certs;
        roots.extend_from_slice(&self.extra_roots);
        if roots.is_empty() {
            tracing::warn!("no root certificates found: no TLS server will be trusted; set SSL_CERT_FILE");
        }
        Arc::new(Verifier::trusting(roots, provider))
    }
}

fn versions(wanted: TlsVersions) -> Result<Vec<&'static SupportedProtocolVersion>, ConfigError> {
    let min = wanted.min.unwrap_or(TlsVersion::Tls12);
    let max = wanted.max.unwrap_or(TlsVersion::Tls13);
    if min > max {
        return Err(ConfigError::new("tlsVersion: min is greater than max"));
    }
    if max < TlsVersion::Tls12 {
        return Err(ConfigError::new(
            "tlsVersion: TLS 1.0 and 1.1 are not supported, the oldest version is tls1.2",
        ));
    }
    if min < TlsVersion::Tls12 {
        tracing::warn!("tlsVersion: TLS 1.0 and 1.1 are not supported, tls1.2 is the minimum");
    }
    let known = [(TlsVersion::Tls12, &rustls::version::TLS12), (TlsVersion::Tls13, &rustls::version::TLS13)];
    Ok(known.into_iter().filter(|(v, _)| (min..=max).contains(v)).map(|(_, v)| v).collect())
}

/// The named suites. Go cannot choose those of TLS 1.3, so they stay available whatever the list says.
fn cipher_suites(
    names: &[CipherSuite],
    versions: &[&'static SupportedProtocolVersion],
) -> Result<Vec<SupportedCipherSuite>, ConfigError> {
    let mut wanted = Vec::new();
    for name in names.iter().map(|suite| suite.name()) {
        match CIPHER_SUITES.iter().find(|(known, _)| *known == name) {
            Some((_, suite)) => wanted.push(*suite),
            None => tracing::warn!("tlsCipherSuites: {name} is not supported and left out"),
        }
    }
    let suites: Vec<_> = aws_lc_rs::ALL_CIPHER_SUITES
        .iter()
        .filter(|suite| suite.tls13().is_some() || wanted.contains(&suite.suite()))
        .copied()
        .collect();
    let usable = |version: &&SupportedProtocolVersion| {
        suites.iter().any(|suite| suite.version().version == version.version)
    };
    if !versions.iter().any(usable) {
        return Err(ConfigError::new("tlsCipherSuites: none of them is supported"));
    }
    Ok(suites)
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| ConfigError::new(format!("invalid certificate: {error}")))?;
    match chain.is_empty() {
        true => Err(ConfigError::new("invalid certificate: no PEM block found")),
        false => Ok(chain),
    }
}

impl Identity {
    fn new(auth: &TlsAuth, provider: &CryptoProvider) -> Result<Self, ConfigError> {
        let chain = certificates(&auth.cert)?;
        let key = private_key(&auth.key, auth.password.as_deref())
            .map_err(|problem| ConfigError::new(format!("tlsAuth: {problem}")))?;
        let issuers = chain.iter().filter_map(|der| issuer(der)).collect();
        let key = provider
            .key_provider
            .load_private_key(key)
            .map_err(|error| ConfigError::new(format!("tlsAuth: {error}")))?;
        // Not `CertifiedKey::from_der`: it refuses certificates of X.509 version 1, which servers may accept.
        let belongs = key.public_key().is_none_or(|own| public_key(&chain[0]).is_ok_and(|it| it == own));
        if !belongs {
            return Err(ConfigError::new("tlsAuth: the private key is not the certificate's"));
        }
        let key = CertifiedKey::new(chain, key);
        let domains = HostnamePatterns::new(auth.domains.clone())
            .map_err(|error| ConfigError::new(format!("tlsAuth: {error}")))?;
        Ok(Self { key: Arc::new(key), issuers, domains })
    }

    /// Whether a server that accepts `issuers` and `schemes` takes it. No issuers means any.
    fn suits(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> bool {
        let issued = issuers.is_empty() || self.issuers.iter().any(|own| issuers.contains(&own.as_slice()));
        issued && self.key.key.choose_scheme(schemes).is_some()
    }
}

fn issuer(der: &[u8]) -> Option<Vec<u8>> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    Some(certificate.issuer().as_raw().to_vec())
}

#[derive(Debug)]
struct Identities(Vec<Identity>);

impl ResolvesClientCert for Identities {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.iter().find(|id| id.suits(issuers, schemes)).map(|id| id.key.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl TlsInfo {
    pub(crate) fn of(connection: &rustls::ClientConnection) -> Option<Self> {
        let version = match connection.protocol_version()? {
            ProtocolVersion::TLSv1_2 => "tls1.2",
            ProtocolVersion::TLSv1_3 => "tls1.3",
            _ => return None,
        };
        let suite = connection.negotiated_cipher_suite()?.suite();
        let (cipher_suite, _) = CIPHER_SUITES.iter().find(|(_, known)| *known == suite)?;
        Some(Self { version, cipher_suite })
    }
}

/// The rustls error inside an I/O error, in k6's words. None when the error is not TLS's.
pub(crate) fn tls_error(error: &io::Error) -> Option<NetError> {
    let tls = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(match tls {
        rustls::Error::InvalidCertificate(reason) => certificate_error(reason),
        rustls::Error::InvalidMessage(_) => {
            NetError::new(code::NOT_TLS, "tls: first record does not look like a TLS handshake")
        }
        rustls::Error::AlertReceived(alert) => {
            NetError::new(code::NON_TCP, format!("remote error: tls: {}", alert_text(*alert)))
        }
        other => NetError::new(code::TLS, format!("tls: {other}")),
    })
}

fn certificate_error(reason: &CertificateError) -> NetError {
    match reason {
        // A bad signature: another authority of the same name has signed it.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            NetError::new(code::UNKNOWN_AUTHORITY, "x509: unknown authority")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            NetError::new(code::HOSTNAME_MISMATCH, "x509: certificate doesn't match hostname")
        }
        CertificateError::ExpiredContext { time, not_after } => outside_validity(*time, "after", *not_after),
        CertificateError::NotValidYetContext { time, not_before } => {
            outside_validity(*time, "before", *not_before)
        }
        _ => NetError::generic(format!("x509: {reason}")),
    }
}

fn outside_validity(now: UnixTime, relation: &str, limit: UnixTime) -> NetError {
    let (now, limit) = (rfc3339(now), rfc3339(limit));
    NetError::generic(format!(
        "x509: certificate has expired or is not yet valid: current time {now} is {relation} {limit}"
    ))
}

fn rfc3339(time: UnixTime) -> String {
    let time = i64::try_from(time.as_secs()).ok().and_then(|secs| ASN1Time::from_timestamp(secs).ok());
    let Some(time) = time.map(|time| time.to_datetime()) else { return "?".to_owned() };
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    let (hour, minute, second) = time.to_hms();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Go's words for the alerts that servers send in practice.
fn alert_text(alert: AlertDescription) -> String {
    let known = match alert {
        AlertDescription::HandshakeFailure => "handshake failure",
        AlertDescription::BadCertificate => "bad certificate",
        AlertDescription::UnsupportedCertificate => "unsupported certificate",
        AlertDescription::CertificateRevoked => "revoked certificate",
        AlertDescription::CertificateExpired => "expired certificate",
        AlertDescription::CertificateUnknown => "unknown certificate",
        AlertDescription::CertificateRequired => "certificate required",
        AlertDescription::UnknownCA => "unknown certificate authority",
        AlertDescription::ProtocolVersion => "protocol version not supported",
        AlertDescription::InternalError => "internal error",
        AlertDescription::UnrecognisedName => "unrecognized name",
        AlertDescription::NoApplicationProtocol => "no application protocol",
        other => return format!("{other:?}"),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use squall_options::FromText as _;

    use super::*;

    fn config_error(config: TlsConfig) -> String {
        TlsClient::new(&config).map_or_else(|error| error.to_string(), |_| "none".to_owned())
    }

    #[test]
    fn options_that_cannot_be_honoured_are_refused() {
        let versions =
            |min, max| config_error(TlsConfig { versions: TlsVersions { min, max }, ..TlsConfig::default() });
        assert_eq!(versions(None, None), "none");
        assert_eq!(versions(Some(TlsVersion::Tls10), Some(TlsVersion::Tls13)), "none");
        assert_eq!(
            versions(Some(TlsVersion::Tls10), Some(TlsVersion::Tls11)),
            "tlsVersion: TLS 1.0 and 1.1 are not supported, the oldest version is tls1.2"
        );
        assert_eq!(
            versions(Some(TlsVersion::Tls13), Some(TlsVersion::Tls12)),
            "tlsVersion: min is greater than max"
        );
    }

    #[test]
    fn cipher_suites_are_gos() {
        let suites = |names: &[&str], max| {
            let suite = |name: &&str| CipherSuite::from_text(name).unwrap();
            let cipher_suites = names.iter().map(suite).collect();
            let versions = TlsVersions { min: None, max };
            config_error(TlsConfig { cipher_suites, versions, ..TlsConfig::default() })
        };
        let (rsa, ecdhe) = ("TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
        assert_eq!(suites(&[rsa, ecdhe], None), "none");
        let none_left = "tlsCipherSuites: none of them is supported";
        assert_eq!(suites(&[rsa], Some(TlsVersion::Tls12)), none_left);
    }

    #[test]
    fn client_certificates_must_be_readable() {
        let certificate = |cert: &str, key: &str| {
            let auth = TlsAuth { cert: cert.to_owned(), key: key.to_owned(), ..TlsAuth::default() };
            config_error(TlsConfig { client_certificates: vec![auth], ..TlsConfig::default() })
        };
        let good = squall_testing::Authority::new().client("vu");
        let other = squall_testing::Authority::new().client("vu");
        assert_eq!(certificate(&good.cert_pem, &good.key_pem), "none");
        let no_pem = "invalid certificate: no PEM block found";
        assert_eq!(certificate("nonsense", &good.key_pem), no_pem);
        assert!(certificate(&good.cert_pem, "nonsense").starts_with("tlsAuth: invalid private key"));
        let not_its_own = "tlsAuth: the private key is not the certificate's";
        assert_eq!(certificate(&good.cert_pem, &other.key_pem), not_its_own);
        let version_1 = (include_str!("testdata/version-1.pem"), include_str!("testdata/version-1.key"));
        assert_eq!(certificate(version_1.0, version_1.1), "none");
    }
}
