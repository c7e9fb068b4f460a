//! What people and courses are, and which values they may have. No I/O.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::kit::problem::Problem;

/// Words that a search may have: each is a condition of the query.
pub(super) const SEARCH_WORDS_MAX: usize = 4;
/// The last page that can be asked for: the database counts its way to it.
const PAGE_MAX: u32 = 10_000;
const PAGE_SIZE_MAX: u32 = 100;

/// Who somebody is, as they see it themselves.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = azora::Profile)]
pub(super) struct Profile {
    #[schema(format = Uuid)]
    pub(super) id: String,
    #[schema(format = Email)]
    pub(super) email: String,
    /// user or admin.
    pub(super) role: String,
    pub(super) name: String,
    /// What they tell of themselves.
    pub(super) bio: String,
    /// The language they learn in, as a BCP 47 tag.
    pub(super) language: String,
    #[schema(value_type = String, format = DateTime)]
    pub(super) created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub(super) updated_at: Timestamp,
}

/// What somebody may change of their profile. All of it is replaced.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = azora::ProfileChange)]
pub(super) struct ProfileChange {
    #[schema(min_length = 1, max_length = 100, example = "Ada Lovelace")]
    pub(super) name: String,
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub(super) bio: String,
    #[schema(min_length = 2, max_length = 35, pattern = "^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$", example = "en")]
    pub(super) language: String,
}

impl ProfileChange {
    pub(super) fn checked(self) -> Result<Self, Problem> {
        let language = self.language;
        let parts = language.split('-').all(|part| {
            !part.is_empty() && part.len() <= 8 && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if !parts || !(2..=35).contains(&language.len()) {
            return Err(Problem::invalid("language: must be a language tag, such as en or pt-BR"));
        }
        Ok(Self { name: line("name", &self.name, 1, 100)?, bio: text("bio", self.bio, 2000)?, language })
    }
}

/// Whom a course is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = azora::Level)]
pub(super) enum Level {
    Beginner,
    Intermediate,
    Advanced,
}

impl Level {
    /// As it is stored.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Beginner => "beginner",
            Self::Intermediate => "intermediate",
            Self::Advanced => "advanced",
        }
    }
}

/// What an admin says of a course.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = azora::CourseInput)]
pub(super) struct CourseInput {
    #[schema(min_length = 1, max_length = 200, example = "Practical Statistics for Engineers")]
    pub(super) title: String,
    /// One or two sentences, for lists.
    #[schema(max_length = 500)]
    pub(super) summary: String,
    #[serde(default)]
    #[schema(max_length = 20_000)]
    pub(super) description: String,
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z0-9-]+$", example = "data-science")]
    pub(super) category: String,
    pub(super) level: Level,
    /// How long it takes.
    #[schema(minimum = 1, maximum = 1000)]
    pub(super) hours: u32,
}

impl CourseInput {
    pub(super) fn checked(self) -> Result<Self, Problem> {
        if !(1..=1000).contains(&self.hours) {
            return Err(Problem::invalid("hours: must be from 1 to 1000"));
        }
        Ok(Self {
            title: line("title", &self.title, 1, 200)?,
            summary: line("summary", &self.summary, 0, 500)?,
            description: text("description", self.description, 20_000)?,
            category: category(&self.category)?,
            ..self
        })
    }

    /// What a search looks through.
    pub(super) fn words(&self) -> String {
        format!("{} {} {}", self.title, self.summary, self.category).to_lowercase()
    }
}

/// A course.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = azora::Course)]
pub(super) struct Course {
    #[schema(format = Uuid)]
    pub(super) id: String,
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) category: String,
    /// beginner, intermediate or advanced.
    pub(super) level: String,
    pub(super) hours: i64,
    #[schema(value_type = String, format = DateTime)]
    pub(super) created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub(super) updated_at: Timestamp,
}

/// A course in a list.
#[derive(Debug, Clone, Serialize, ToSchema, sqlx::FromRow)]
#[schema(as = azora::CourseSummary)]
pub(super) struct CourseSummary {
    #[schema(format = Uuid)]
    pub(super) id: String,
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) category: String,
    /// beginner, intermediate or advanced.
    pub(super) level: String,
    pub(super) hours: i64,
}

/// A page of the course list, in the order of titles.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = azora::CoursePage)]
pub(super) struct CoursePage {
    pub(super) courses: Vec<CourseSummary>,
    pub(super) page: u32,
    pub(super) page_size: u32,
    /// Courses on all pages.
    pub(super) total: i64,
}

/// The query of a course list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CourseQuery {
    /// The page, from 1
    #[param(minimum = 1, maximum = 10_000, default = 1)]
    page: Option<u32>,
    /// Courses on a page
    #[param(minimum = 1, maximum = 100, default = 20)]
    page_size: Option<u32>,
    /// Up to four words that title, summary and category must have between them, in any case and order
    #[param(max_length = 100)]
    search: Option<String>,
    /// Only courses of this category
    #[param(min_length = 1, max_length = 50, pattern = "^[a-z0-9-]+$")]
    category: Option<String>,
    /// Only courses of this level
    level: Option<Level>,
}

/// Which courses are asked for. Queries that mean the same are the same here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) page: u32,
    pub(super) page_size: u32,
    /// In small letters, in order, each once.
    pub(super) words: Vec<String>,
    pub(super) category: Option<String>,
    pub(super) level: Option<Level>,
}

impl TryFrom<CourseQuery> for Listing {
    type Error = Problem;

    fn try_from(query: CourseQuery) -> Result<Self, Problem> {
        let page = query.page.unwrap_or(1);
        if !(1..=PAGE_MAX).contains(&page) {
            return Err(Problem::invalid(format!("page: must be from 1 to {PAGE_MAX}")));
        }
        let page_size = query.page_size.unwrap_or(20);
        if !(1..=PAGE_SIZE_MAX).contains(&page_size) {
            return Err(Problem::invalid(format!("page_size: must be from 1 to {PAGE_SIZE_MAX}")));
        }
        // What is not UTF-8 in a query arrives as this character.
        if query.search.as_deref().is_some_and(|search| search.contains(char::REPLACEMENT_CHARACTER)) {
            return Err(Problem::invalid("search: must be UTF-8"));
        }
        let search = line("search", &query.search.unwrap_or_default(), 0, 100)?.to_lowercase();
        let mut words: Vec<String> = search.split_whitespace().map(str::to_owned).collect();
        words.sort_unstable();
        words.dedup();
        if words.len() > SEARCH_WORDS_MAX {
            return Err(Problem::invalid(format!("search: at most {SEARCH_WORDS_MAX} words")));
        }
        let category = query.category.as_deref().map(category).transpose()?;
        Ok(Self { page, page_size, words, category, level: query.level })
    }
}

impl Listing {
    /// Names it in a cache. Neither a word nor a category has a space.
    pub(super) fn key(&self) -> String {
        let (category, level) =
            (self.category.as_deref().unwrap_or("*"), self.level.map_or("*", Level::as_str));
        format!("{} {} {category} {level} {}", self.page, self.page_size, self.words.join(" "))
    }

    /// Courses before the page.
    pub(super) fn offset(&self) -> i64 {
        i64::from(self.page - 1) * i64::from(self.page_size)
    }
}

fn category(said: &str) -> Result<String, Problem> {
    let sane = said.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    match sane && (1..=50).contains(&said.len()) {
        true => Ok(said.to_owned()),
        false => Err(Problem::invalid("category: must be 1 to 50 of a–z, 0–9 and hyphens")),
    }
}

/// One line of `min` to `max` characters, without the spaces around it.
fn line(field: &str, said: &str, min: usize, max: usize) -> Result<String, Problem> {
    let line = said.trim();
    if line.chars().any(char::is_control) {
        return Err(Problem::invalid(format!("{field}: must be one line, without control characters")));
    }
    match (min..=max).contains(&line.chars().count()) {
        true => Ok(line.to_owned()),
        false => Err(Problem::invalid(format!("{field}: must have {min} to {max} characters"))),
    }
}

/// Text of any lines. NUL is refused, for PostgreSQL cannot store it.
fn text(field: &str, said: String, max: usize) -> Result<String, Problem> {
    if said.contains('\0') {
        return Err(Problem::invalid(format!("{field}: must not have the character NUL")));
    }
    match said.chars().count() <= max {
        true => Ok(said),
        false => Err(Problem::invalid(format!("{field}: must have at most {max} characters"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(query: &str) -> Result<Listing, String> {
        let uri: http::Uri = format!("/?{query}").parse().unwrap();
        let axum::extract::Query(query) = axum::extract::Query::<CourseQuery>::try_from_uri(&uri).unwrap();
        Listing::try_from(query).map_err(|problem| problem.to_string())
    }

    #[test]
    fn queries_that_mean_the_same_have_one_key() {
        for (one, other) in [
            ("", "page=1&page_size=20"),
            ("search=Rust+Web", "search=web%20%20rust"),
            ("search=%20a%20a", "search=a"),
            ("level=beginner&category=x", "category=x&level=beginner"),
        ] {
            assert_eq!(listing(one).unwrap().key(), listing(other).unwrap().key());
        }
    }

    #[test]
    fn queries_that_do_not_have_different_ones() {
        let queries = [
            "",
            "page=2",
            "page_size=2",
            "search=a",
            "search=a+b",
            "search=ab",
            "category=a",
            "level=beginner",
        ];
        let keys: std::collections::HashSet<String> =
            queries.iter().map(|query| listing(query).unwrap().key()).collect();
        assert_eq!(keys.len(), queries.len());
    }

    #[test]
    fn queries_out_of_bounds_name_the_parameter() {
        for (query, field) in [
            ("page=0", "page"),
            ("page=10001", "page"),
            ("page_size=0", "page_size"),
            ("page_size=101", "page_size"),
            ("search=a+b+c+d+e", "search"),
            ("search=%00", "search"),
            ("search=%FF", "search"),
            ("category=A", "category"),
            ("category=", "category"),
        ] {
            let problem = listing(query).unwrap_err();
            assert!(problem.starts_with(&format!("Invalid value: {field}:")), "{query}: {problem}");
        }
    }
}
