//! People and courses to begin with. The same number gives the same ones, so that it can be asked for at each start.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use super::{
    App,
    domain::{CourseInput, Level, Profile},
};
use crate::kit::auth::Role;

const PASSWORD: &str = "azora-learner-password";
/// At least so many, so that few learners have pages to turn.
const COURSES_MIN: u32 = 50;
const LEARNERS_PER_COURSE: u32 = 10;

const FIRST_NAMES: [&str; 16] = [
    "Amara", "Bruno", "Chen", "Daria", "Elif", "Farid", "Greta", "Hiro", "Ines", "Jonas", "Kavya", "Lucía",
    "Mateo", "Nadia", "Oskar", "Priya",
];
const LAST_NAMES: [&str; 13] = [
    "Almeida", "Berg", "Castro", "Demir", "Eriksen", "Fischer", "Gupta", "Haddad", "Ivanova", "Jansen",
    "Kimura", "Lopez", "Müller",
];
const LANGUAGES: [&str; 6] = ["en", "de", "es", "fr", "pt-BR", "ja"];
const SUBJECTS: [(&str, &str); 12] = [
    ("Statistics", "data-science"),
    ("Machine Learning", "data-science"),
    ("Data Visualisation", "data-science"),
    ("Rust", "programming"),
    ("Distributed Systems", "programming"),
    ("Web Accessibility", "programming"),
    ("Project Management", "business"),
    ("Negotiation", "business"),
    ("Bookkeeping", "business"),
    ("Photography", "design"),
    ("Typography", "design"),
    ("Colour Theory", "design"),
];
const KINDS: [&str; 7] =
    ["Practical", "Introduction to", "Advanced", "Essentials of", "Hands-on", "A Short Course in", "Modern"];
const AUDIENCES: [&str; 5] =
    ["for Engineers", "for Managers", "for Career Changers", "for Teachers", "in Six Weeks"];
const SENTENCES: [&str; 10] = [
    "Each week has a short lecture, a worked example and an exercise that is reviewed by other learners.",
    "No knowledge is assumed beyond what school teaches; everything else is introduced when it is needed.",
    "The examples come from projects that went wrong as well as from those that went right.",
    "By the end you will have a small project of your own to show, and the notes to explain every step of it.",
    "Plan about four hours a week; the material stays open after the course has ended.",
    "We begin with the questions that practitioners ask, and look for the theory that answers them.",
    "A glossary, a reading list and recorded office hours come with every chapter.",
    "The second half is a case study in teams of three or four.",
    "You will learn to judge results, to say how sure you are of them, and to present them to others.",
    "Assessment is by two assignments and a conversation; there is no exam.",
];

/// Adds `learners` and their courses where they are missing. Says how many of both were.
pub(super) async fn run(app: &App, learners: u32) -> anyhow::Result<u64> {
    if learners == 0 {
        return Ok(0);
    }
    let hash = app.passwords.hash(PASSWORD.to_owned()).await?;
    let people: Vec<Profile> = (1..=learners).map(learner).collect();
    let mut added = app.storage.add_users(&people, &hash).await?;
    for number in 1..=(learners / LEARNERS_PER_COURSE).max(COURSES_MIN) {
        let (id, course) = course(number);
        added += u64::from(app.storage.add_course(id, &course).await?.is_some());
    }
    tracing::info!(
        added,
        "learners sign in as learner-1@azora.example to learner-{learners}@azora.example, password {PASSWORD}"
    );
    Ok(added)
}

/// Somebody with this address.
pub(super) fn person(email: &str, name: &str, role: Role) -> Profile {
    let now = Timestamp::now();
    Profile {
        id: id("person", email).to_string(),
        email: email.to_owned(),
        role: role.as_str().to_owned(),
        name: name.to_owned(),
        bio: String::new(),
        language: "en".to_owned(),
        created_at: now,
        updated_at: now,
    }
}

fn learner(number: u32) -> Profile {
    let name = format!("{} {}", of(&FIRST_NAMES, number), of(&LAST_NAMES, number / 3));
    let (subject, _) = of(&SUBJECTS, number / 5);
    let bio = format!("I am learning {subject}. {}", sentences(number, 3));
    let language = of(&LANGUAGES, number / 2).to_owned();
    let email = format!("learner-{number}@azora.example");
    Profile { bio, language, ..person(&email, &name, Role::User) }
}

fn course(number: u32) -> (Uuid, CourseInput) {
    let (subject, category) = of(&SUBJECTS, number);
    let title = format!("{} {subject} {}", of(&KINDS, number), of(&AUDIENCES, number / 3));
    let course = CourseInput {
        // The lists have more than 400 combinations; what comes after them is a new edition.
        title: if number > 400 { format!("{title}, edition {}", number / 400 + 1) } else { title },
        summary: sentences(number, 2),
        description: (0..3).map(|part| sentences(number + part, 4)).collect::<Vec<_>>().join("\n\n"),
        category: category.to_owned(),
        level: of(&[Level::Beginner, Level::Intermediate, Level::Advanced], number / 4),
        hours: 4 + number % 60,
    };
    (id("course", &number.to_string()), course)
}

/// `count` different sentences in a row of the list that is turned by `number`.
fn sentences(number: u32, count: u32) -> String {
    let texts: Vec<&str> = (0..count).map(|index| of(&SENTENCES, number * 3 + index)).collect();
    texts.join(" ")
}

fn of<T: Copy>(list: &[T], number: u32) -> T {
    list[number as usize % list.len()]
}

/// An id that depends on the name alone.
fn id(kind: &str, name: &str) -> Uuid {
    let hash = Sha256::digest(format!("azora {kind} {name}"));
    let bytes: [u8; 16] = std::array::from_fn(|index| hash[index]);
    Builder::from_random_bytes(bytes).into_uuid()
}
