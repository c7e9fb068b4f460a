//! The cases: a system, what it is asked, and how much of it is aimed at.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::api::Api;
use super::wrk::Load;

/// A load of requests on a system.
pub(super) struct Case {
    pub(super) system: &'static str,
    pub(super) title: &'static str,
    /// Requests a second on one core.
    pub(super) goal: Option<f64>,
    /// Flags of the service beyond its defaults.
    pub(super) flags: &'static [&'static str],
    /// Makes what the requests need and returns them.
    pub(super) prepare: fn(&Api) -> Result<Load>,
}

pub(super) const CASES: [Case; 7] = [
    Case {
        system: "fluxor",
        title: "GET /health",
        goal: Some(80_000.0),
        flags: &[],
        prepare: |_| Ok(Load::get("/health", None)),
    },
    Case {
        system: "fluxor",
        title: "GET /api/users, a page from the cache",
        goal: None,
        flags: &[],
        prepare: |api| {
            for number in 0..20 {
                let user = json!({"name": "Ada Lovelace", "email": format!("ada{number}@example.org")});
                api.ask("POST", "/api/users", None, Some(&user))?;
            }
            Ok(Load::get("/api/users", None))
        },
    },
    Case {
        system: "connex",
        title: "GET /users/{id}, from the cache, with a token",
        goal: Some(30_000.0),
        flags: &[],
        prepare: |api| {
            let (email, password) = ("ada@example.org", "a long password");
            let person = json!({"email": email, "name": "Ada Lovelace", "password": password});
            api.ask("POST", "/api/v1/auth/register", None, Some(&person))?;
            let token = sign_in(api, email, password)?;
            let id = text(&api.ask("GET", "/api/v1/users/me", Some(&token), None)?, "id")?;
            Ok(Load::get(format!("/api/v1/users/{id}"), Some(token)))
        },
    },
    Case {
        system: "azora",
        title: "GET /profile, from the cache, with a token",
        goal: None,
        flags: AZORA,
        prepare: |api| Ok(Load::get("/api/v1/profile", Some(learner(api)?))),
    },
    Case {
        system: "azora",
        title: "GET /courses, a page from the cache",
        goal: None,
        flags: AZORA,
        prepare: |api| Ok(Load::get("/api/v1/courses", Some(learner(api)?))),
    },
    Case {
        system: "birthday",
        title: "POST /users",
        goal: None,
        flags: &[],
        prepare: |_| Ok(people("1996-01-31")),
    },
    Case {
        system: "birthday",
        title: "GET /users/{id}",
        goal: None,
        flags: &[],
        prepare: |api| {
            let person = json!({
                "name": "Ada Lovelace", "email": "ada@example.org", "birthday": "1996-02-29", "time_zone": "Europe/Berlin",
            });
            let id = text(&api.ask("POST", PEOPLE, None, Some(&person))?, "id")?;
            Ok(Load::get(format!("{PEOPLE}/{id}"), None))
        },
    },
];

const AZORA: &[&str] = &["--azora-seed", "1000"];

const PEOPLE: &str = "/api/v1/users";

/// People to create, all born on the day.
pub(super) fn people(birthday: &str) -> Load {
    let script = Some(("birthday-create.lua", birthday.to_owned()));
    Load { path: PEOPLE.to_owned(), token: None, script }
}

/// A token of the first of the learners that Azora makes.
fn learner(api: &Api) -> Result<String> {
    sign_in(api, "learner-1@azora.example", "azora-learner-password")
}

fn sign_in(api: &Api, email: &str, password: &str) -> Result<String> {
    let answer =
        api.ask("POST", "/api/v1/auth/login", None, Some(&json!({"email": email, "password": password})))?;
    text(&answer, "access_token")
}

fn text(answer: &Value, field: &str) -> Result<String> {
    let text = answer[field].as_str().with_context(|| format!("no {field} in {answer}"))?;
    ensure!(!text.is_empty(), "{field} is empty");
    Ok(text.to_owned())
}
