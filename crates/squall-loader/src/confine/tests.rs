//! Which scripts are confined, why others are not, and what factories look like.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Entry, Loader, LoaderConfig, ModuleGraph, Realms, Sharing};

fn load(entry: PathBuf) -> Option<ModuleGraph> {
    struct Offline;
    impl crate::Fetch for Offline {
        fn get(&self, _url: &str) -> Result<String, String> {
            Err("offline".to_owned())
        }
    }
    let config =
        LoaderConfig { entry: Entry::File(entry), fetch: Box::new(Offline), cache_dir: None, refresh: false };
    Loader::new(config).with_realms(Realms::Shared).load().ok()
}

#[test]
#[ignore = "a measurement, not a test"]
fn measure() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    for folder in ["compat/scripts", "examples", "benches/scripts"] {
        let (mut shared, mut all) = (0, 0);
        let mut files: Vec<_> =
            fs::read_dir(root.join(folder)).unwrap().map(|it| it.unwrap().path()).collect();
        files.sort();
        for file in files {
            let is_script = file.extension().is_some_and(|it| it == "js" || it == "ts");
            if !is_script {
                continue;
            }
            let Some(graph) = load(file.clone()) else { continue };
            all += 1;
            match graph.sharing {
                Sharing::Shared => shared += 1,
                Sharing::Private(escape) => println!("{escape}   <- {}", file.file_name().unwrap().display()),
            }
        }
        println!("== {folder}: {shared} of {all}");
    }
}
