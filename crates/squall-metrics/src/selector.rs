//! Names of metrics and submetrics as threshold keys spell them: `metric` or `metric{tag:value,…}`.

use std::sync::Arc;

use crate::TagSet;

/// What a threshold key selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// Name of the metric.
    pub metric: String,
    /// The text between the braces, without the blanks around it.
    pub suffix: Option<String>,
    /// Tags that samples must have; empty when there are no braces.
    pub tags: Arc<TagSet>,
}

/// Why a threshold key could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// A brace without its partner, or text after the closing one.
    #[error(
        "'{0}' is not a metric or metric{{tag:value}}: it must end with the one '}}' that matches its '{{'"
    )]
    Braces(String),
    /// Nothing between the braces.
    #[error("'{0}' selects by no tag: write metric{{tag:value}}")]
    Empty(String),
    /// A part without a colon, a key or a value.
    #[error("'{part}' in '{key}' is not tag:value")]
    Tag { key: String, part: String },
}

impl Selector {
    /// Reads a threshold key. Values may be quoted and may hold colons, but no commas.
    pub fn parse(key: &str) -> Result<Selector, SelectorError> {
        let Some((metric, rest)) = key.split_once('{') else {
            return match key.contains('}') {
                true => Err(SelectorError::Braces(key.to_owned())),
                false => Ok(Selector { metric: key.to_owned(), suffix: None, tags: TagSet::empty() }),
            };
        };
        let suffix = rest.strip_suffix('}').filter(|inside| !inside.contains('}'));
        let suffix = suffix.ok_or_else(|| SelectorError::Braces(key.to_owned()))?;
        let suffix = suffix.trim();
        if suffix.is_empty() {
            return Err(SelectorError::Empty(key.to_owned()));
        }
        let tags = suffix.split(',').map(|part| parse_tag(key, part)).collect::<Result<Vec<_>, _>>()?;
        Ok(Selector { metric: metric.to_owned(), suffix: Some(suffix.to_owned()), tags: TagSet::new(tags) })
    }
}

fn parse_tag(key: &str, part: &str) -> Result<(String, String), SelectorError> {
    let unquote = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
    let pair = part.split_once(':').map(|(tag, value)| (unquote(tag), unquote(value)));
    pair.filter(|(tag, value)| !tag.is_empty() && !value.is_empty())
        .ok_or_else(|| SelectorError::Tag { key: key.to_owned(), part: part.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_select_metrics_and_submetrics() {
        let check = |key, metric, tags: &[(&'static str, &'static str)]| {
            let selector = Selector::parse(key).unwrap();
            assert_eq!(
                (&*selector.metric, &selector.tags),
                (metric, &TagSet::new(tags.iter().copied())),
                "{key}"
            );
        };
        check("http_reqs", "http_reqs", &[]);
        check("http_reqs{status:200}", "http_reqs", &[("status", "200")]);
        check("m{ a: 'x' , \"b\":\"y z\"}", "m", &[("a", "x"), ("b", "y z")]);
        check("m{url:http://h:80/}", "m", &[("url", "http://h:80/")]);
        check("m{group:::login}", "m", &[("group", "::login")]);
    }

    #[test]
    fn blanks_around_the_selection_are_no_part_of_the_name() {
        assert_eq!(Selector::parse("m{ a : b }").unwrap().suffix.as_deref(), Some("a : b"));
    }

    #[test]
    fn bad_keys_say_why() {
        let check = |key: &str| Selector::parse(key).unwrap_err().to_string();
        insta::assert_snapshot!(check("m{a:b"), @"'m{a:b' is not a metric or metric{tag:value}: it must end with the one '}' that matches its '{'");
        insta::assert_snapshot!(check("m}"), @"'m}' is not a metric or metric{tag:value}: it must end with the one '}' that matches its '{'");
        insta::assert_snapshot!(check("m{a:b}c}"), @"'m{a:b}c}' is not a metric or metric{tag:value}: it must end with the one '}' that matches its '{'");
        insta::assert_snapshot!(check("m{ }"), @"'m{ }' selects by no tag: write metric{tag:value}");
        insta::assert_snapshot!(check("m{a:b,c}"), @"'c' in 'm{a:b,c}' is not tag:value");
        insta::assert_snapshot!(check("m{a:''}"), @"'a:''' in 'm{a:''}' is not tag:value");
    }
}
