//! A large library as bundles have them: `cargo xtask bench library` prints it, and cases import it as `lib.js`.
//!
//! 250 KB of plain ES code in 2,600 exported functions, some of which call others, 60 classes and 150 constants.
//! The same text every time. A function's name is its shape and its number, so scripts can name some.

use std::fmt::Write;

const FUNCTIONS: usize = 2600;
const CLASSES: usize = 60;
const CONSTANTS: usize = 150;

const WORDS: [&str; 12] = [
    "order", "basket", "customer", "invoice", "address", "payment", "product", "session", "voucher",
    "parcel", "account", "message",
];

/// The library's text.
pub(super) fn source() -> String {
    let mut random = Random(0x5eed);
    let mut text = String::from("// A library of 2,600 functions, generated.\n\n");
    for index in 0..CONSTANTS {
        text += &constant(index, &mut random);
    }
    for index in 0..FUNCTIONS {
        text += &function(index, &mut random);
    }
    for index in 0..CLASSES {
        text += &class(index, &mut random);
    }
    text
}

fn constant(index: usize, random: &mut Random) -> String {
    let (low, high, word) = (random.below(100), 100 + random.below(900), random.word());
    match index % 3 {
        0 => format!("export const LIMITS_{index} = {{ low: {low}, high: {high}, unit: '{word}' }};\n"),
        1 => format!("export const NAMES_{index} = ['{word}', '{}', '{}'];\n", random.word(), random.word()),
        _ => format!("export const PATTERN_{index} = /^{word}-[0-9a-f]{{{}}}$/;\n", 4 + random.below(9)),
    }
}

/// Ten shapes in turn; the sixth and the ninth call functions before them.
fn function(index: usize, random: &mut Random) -> String {
    let (small, large, word) = (1 + random.below(9), 10 + random.below(90), random.word());
    let earlier = index - index % 10;
    match index % 10 {
        0 => format!("export function scale{index}(value) {{\n  return value * {small} + {large};\n}}\n"),
        1 => format!(
            "export function clamp{index}(value) {{\n  return Math.min(Math.max(value, {small}), {large});\n}}\n"
        ),
        2 => format!(
            "export function label{index}({word}) {{\n  return `${{{word}.name}}-${{{word}.id % {large}}}`;\n}}\n"
        ),
        3 => format!(
            "export function sum{index}(list) {{\n  let sum = {small};\n  for (const item of list) sum += item.count;\n  \
             return sum;\n}}\n"
        ),
        4 => format!("export const first{index} = (list) => list.find((item) => item.{word} > {large});\n"),
        5 => format!(
            "export function price{index}({word}) {{\n  return scale{earlier}({word}.count) + clamp{}({word}.price);\n}}\n",
            earlier + 1
        ),
        6 => format!("export function is{index}(text) {{\n  return text.length > {small};\n}}\n"),
        7 => format!(
            "export function with{index}(options = {{}}) {{\n  return {{ retries: {small}, kind: '{word}', ...options }};\n}}\n"
        ),
        8 => format!(
            "export function total{index}(list) {{\n  if (!list) throw new Error('no {word}');\n  \
             return list.map(scale{earlier}).reduce((a, b) => a + b, 0);\n}}\n"
        ),
        _ => format!("export const count{index} = (list) => list.filter(is{}).length;\n", earlier + 6),
    }
}

fn class(index: usize, random: &mut Random) -> String {
    let (small, large, word) = (1 + random.below(9), 10 + random.below(90), random.word());
    let mut text = format!("export class Basket{index} {{\n");
    let _ = write!(
        text,
        "  constructor(name) {{\n    this.name = name;\n    this.{word} = {small};\n    this.items = [];\n  }}\n\
         \x20 add(item) {{\n    this.items.push(item);\n    return this;\n  }}\n\
         \x20 total() {{\n    return this.items.reduce((sum, item) => sum + item.count * item.price, {small});\n  }}\n\
         \x20 get full() {{\n    return this.items.length >= {large};\n  }}\n}}\n"
    );
    text
}

/// SplitMix64: any seed gives an even sequence, and the text needs no more than that.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_shape_that_it_is_known_by() {
        let text = source();
        let count = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
        let arrows =
            text.lines().filter(|line| line.starts_with("export const") && line.contains("=>")).count();
        assert_eq!(count("export function") + arrows, FUNCTIONS);
        assert_eq!(count("export const") - arrows, CONSTANTS);
        assert_eq!(count("export class"), CLASSES);
        assert!((245_000..=255_000).contains(&text.len()), "{} bytes", text.len());
        assert_eq!(text, source());
    }
}
