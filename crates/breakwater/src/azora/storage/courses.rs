//! Courses.

use sqlx::{
    Any,
    any::{AnyArguments, AnyQueryResult},
    query::QueryAs,
};
use uuid::Uuid;

use super::{Storage, at};
use crate::{
    azora::domain::{Course, CourseInput, CoursePage, CourseSummary, Level, Listing, SEARCH_WORDS_MAX},
    kit::{now_ms, problem::Problem},
};

#[derive(sqlx::FromRow)]
struct CourseRow {
    id: String,
    title: String,
    summary: String,
    description: String,
    category: String,
    level: String,
    hours: i64,
    created_at: i64,
    updated_at: i64,
}

impl From<CourseRow> for Course {
    fn from(row: CourseRow) -> Self {
        let CourseRow { id, title, summary, description, category, level, hours, created_at, updated_at } =
            row;
        let (created_at, updated_at) = (at(created_at), at(updated_at));
        Self { id, title, summary, description, category, level, hours, created_at, updated_at }
    }
}

/// The condition that [`Listed`] fills in. With no words its patterns take every course.
macro_rules! which_are_listed {
    () => {
        " WHERE words LIKE $1 ESCAPE '\\' AND words LIKE $2 ESCAPE '\\' AND words LIKE $3 ESCAPE '\\' \
         AND words LIKE $4 ESCAPE '\\' AND ($5 = '' OR category = $5) AND ($6 = '' OR level = $6)"
    };
}

/// Which courses a page and its total are of.
struct Listed<'q> {
    patterns: &'q [String; SEARCH_WORDS_MAX],
    category: &'q str,
    level: &'q str,
}

type Select<'q, O> = QueryAs<'q, Any, O, AnyArguments>;

impl<'q> Listed<'q> {
    fn bind<O>(&self, select: Select<'q, O>) -> Select<'q, O> {
        let select = self.patterns.iter().fold(select, |select, pattern| select.bind(pattern));
        select.bind(self.category).bind(self.level)
    }
}

impl Storage {
    pub(in crate::azora) async fn course(&self, id: &str) -> Result<Option<Course>, Problem> {
        let _place = self.reading().await?;
        let row: Option<CourseRow> = sqlx::query_as(
            "SELECT id, title, summary, description, category, level, hours, created_at, updated_at \
             FROM azora_courses WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(self.db.current())
        .await?;
        Ok(row.map(Course::from))
    }

    pub(in crate::azora) async fn courses(&self, listing: &Listing) -> Result<CoursePage, Problem> {
        let mut like = listing.words.iter().map(|word| containing(word));
        let patterns: [String; SEARCH_WORDS_MAX] =
            std::array::from_fn(|_| like.next().unwrap_or_else(|| "%".to_owned()));
        let category = listing.category.as_deref().unwrap_or_default();
        let level = listing.level.map_or("", Level::as_str);
        let _place = self.reading().await?;
        let pool = self.lists();
        let listed = Listed { patterns: &patterns, category, level };
        let courses: Vec<CourseSummary> = listed
            .bind(sqlx::query_as(concat!(
                "SELECT id, title, summary, category, level, hours FROM azora_courses",
                which_are_listed!(),
                " ORDER BY title, id LIMIT $7 OFFSET $8",
            )))
            .bind(i64::from(listing.page_size))
            .bind(listing.offset())
            .fetch_all(pool)
            .await?;
        let (total,): (i64,) = listed
            .bind(sqlx::query_as(concat!("SELECT count(*) FROM azora_courses", which_are_listed!())))
            .fetch_one(pool)
            .await?;
        Ok(CoursePage { courses, page: listing.page, page_size: listing.page_size, total })
    }

    /// Adds a course, and gives it back. `None`: there is one with this id.
    pub(in crate::azora) async fn add_course(
        &self,
        id: Uuid,
        course: &CourseInput,
    ) -> Result<Option<Course>, sqlx::Error> {
        let insert = "INSERT INTO azora_courses \
             (id, title, summary, description, category, level, hours, words, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) ON CONFLICT DO NOTHING \
             RETURNING id, title, summary, description, category, level, hours, created_at, updated_at";
        self.write_course(insert, id, course).await
    }

    pub(in crate::azora) async fn replace_course(
        &self,
        id: Uuid,
        course: &CourseInput,
    ) -> Result<Option<Course>, Problem> {
        let update = "UPDATE azora_courses SET title = $2, summary = $3, description = $4, category = $5, level = $6, \
             hours = $7, words = $8, updated_at = $9 WHERE id = $1 \
             RETURNING id, title, summary, description, category, level, hours, created_at, updated_at";
        Ok(self.write_course(update, id, course).await?)
    }

    /// Runs a statement whose parameters are a course and the time, and gives the row that it wrote.
    async fn write_course(
        &self,
        statement: &'static str,
        id: Uuid,
        course: &CourseInput,
    ) -> Result<Option<Course>, sqlx::Error> {
        let row: Option<CourseRow> = sqlx::query_as(statement)
            .bind(id.to_string())
            .bind(&course.title)
            .bind(&course.summary)
            .bind(&course.description)
            .bind(&course.category)
            .bind(course.level.as_str())
            .bind(i64::from(course.hours))
            .bind(course.words())
            .bind(now_ms())
            .fetch_optional(&self.db.write)
            .await?;
        self.courses_changed();
        Ok(row.map(Course::from))
    }

    /// Says whether there was one.
    pub(in crate::azora) async fn delete_course(&self, id: Uuid) -> Result<bool, Problem> {
        let done: AnyQueryResult = sqlx::query("DELETE FROM azora_courses WHERE id = $1")
            .bind(id.to_string())
            .execute(&self.db.write)
            .await?;
        self.courses_changed();
        Ok(done.rows_affected() > 0)
    }
}

/// The pattern of texts that contain `word`.
fn containing(word: &str) -> String {
    let escaped = word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}
