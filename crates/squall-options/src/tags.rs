//! System tags: the labels that the tool itself puts on samples.

/// A tag that the tool sets on samples when asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SystemTag {
    /// `proto`
    Proto,
    /// `subproto`
    Subproto,
    /// `status`
    Status,
    /// `method`
    Method,
    /// `url`
    Url,
    /// `name`
    Name,
    /// `group`
    Group,
    /// `check`
    Check,
    /// `error`
    Error,
    /// `error_code`
    ErrorCode,
    /// `tls_version`
    TlsVersion,
    /// `scenario`
    Scenario,
    /// `service`
    Service,
    /// `expected_response`
    ExpectedResponse,
    /// `iter`
    Iter,
    /// `vu`
    Vu,
    /// `ocsp_status`
    OcspStatus,
    /// `ip`
    Ip,
}

impl SystemTag {
    /// Every system tag.
    pub const ALL: [SystemTag; 18] = [
        SystemTag::Proto,
        SystemTag::Subproto,
        SystemTag::Status,
        SystemTag::Method,
        SystemTag::Url,
        SystemTag::Name,
        SystemTag::Group,
        SystemTag::Check,
        SystemTag::Error,
        SystemTag::ErrorCode,
        SystemTag::TlsVersion,
        SystemTag::Scenario,
        SystemTag::Service,
        SystemTag::ExpectedResponse,
        SystemTag::Iter,
        SystemTag::Vu,
        SystemTag::OcspStatus,
        SystemTag::Ip,
    ];

    /// The tag's name on samples and in `systemTags`.
    pub fn name(self) -> &'static str {
        match self {
            SystemTag::Proto => "proto",
            SystemTag::Subproto => "subproto",
            SystemTag::Status => "status",
            SystemTag::Method => "method",
            SystemTag::Url => "url",
            SystemTag::Name => "name",
            SystemTag::Group => "group",
            SystemTag::Check => "check",
            SystemTag::Error => "error",
            SystemTag::ErrorCode => "error_code",
            SystemTag::TlsVersion => "tls_version",
            SystemTag::Scenario => "scenario",
            SystemTag::Service => "service",
            SystemTag::ExpectedResponse => "expected_response",
            SystemTag::Iter => "iter",
            SystemTag::Vu => "vu",
            SystemTag::OcspStatus => "ocsp_status",
            SystemTag::Ip => "ip",
        }
    }

    /// The tag of that name.
    pub fn from_name(name: &str) -> Option<SystemTag> {
        SystemTag::ALL.into_iter().find(|tag| tag.name() == name)
    }
}

/// A set of system tags. The default is k6's: all but `iter`, `vu`, `ocsp_status` and `ip`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SystemTags(u32);

impl SystemTags {
    /// No tags at all.
    pub const NONE: SystemTags = SystemTags(0);

    /// Whether `tag` is wanted.
    pub fn contains(self, tag: SystemTag) -> bool {
        self.0 & (1 << tag as u32) != 0
    }

    /// This set with `tag` in it.
    pub fn with(self, tag: SystemTag) -> SystemTags {
        SystemTags(self.0 | 1 << tag as u32)
    }

    /// The names in the set, sorted as k6 prints them.
    pub fn names(self) -> Vec<&'static str> {
        let mut names: Vec<_> =
            SystemTag::ALL.into_iter().filter(|&tag| self.contains(tag)).map(SystemTag::name).collect();
        names.sort_unstable();
        names
    }
}

impl FromIterator<SystemTag> for SystemTags {
    fn from_iter<I: IntoIterator<Item = SystemTag>>(tags: I) -> SystemTags {
        tags.into_iter().fold(SystemTags::NONE, SystemTags::with)
    }
}

impl Default for SystemTags {
    fn default() -> SystemTags {
        use SystemTag::{Ip, Iter, OcspStatus, Vu};
        SystemTag::ALL.into_iter().filter(|tag| !matches!(tag, Iter | Vu | OcspStatus | Ip)).collect()
    }
}
