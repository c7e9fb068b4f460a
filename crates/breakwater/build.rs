//! Migrations are embedded; cargo sees new files of the folder only when told.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
