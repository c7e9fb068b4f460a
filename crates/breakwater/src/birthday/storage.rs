//! SQL: people, messages, and which scheduler is at work.

pub mod lease;
pub mod messages;
pub mod users;

use std::fmt::Write;

/// Places for parameters, `rows` times `columns` of them: `($1,$2),($3,$4)`. `types` casts each column, because
/// PostgreSQL does not guess what is in `VALUES`.
fn places(rows: usize, types: &[&str]) -> String {
    let mut text = String::with_capacity(rows * types.len() * 20);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ",(" });
        for (column, kind) in types.iter().enumerate() {
            let comma = if column == 0 { "" } else { "," };
            write!(text, "{comma}CAST(${} AS {kind})", row * types.len() + column + 1)
                .expect("a String takes everything");
        }
        text.push(')');
    }
    text
}

/// The items, of which the last is repeated until their number is a power of two. Statements for any number of rows would
/// push each other out of the cache of prepared statements; so there are a dozen.
fn padded<T: Clone>(items: &[T]) -> Vec<T> {
    let mut items = items.to_vec();
    if let Some(last) = items.last().cloned() {
        items.resize(items.len().next_power_of_two(), last);
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_numbered_through() {
        let text = places(2, &["TEXT", "BIGINT"]);
        assert_eq!(text, "(CAST($1 AS TEXT),CAST($2 AS BIGINT)),(CAST($3 AS TEXT),CAST($4 AS BIGINT))");
    }

    #[test]
    fn items_are_padded_with_the_last() {
        assert_eq!(padded(&[1, 2, 3]), [1, 2, 3, 3]);
        assert_eq!(padded(&[1, 2]), [1, 2]);
        assert!(padded::<u8>(&[]).is_empty());
    }
}
