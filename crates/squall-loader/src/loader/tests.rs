//! Whole projects on disk, loaded and described as text.

use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use insta::assert_snapshot;
use tempfile::TempDir;

use super::*;

/// Remote modules by URL, and which were asked for.
#[derive(Default)]
struct Table {
    modules: HashMap<String, String>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Table {
    fn new(modules: &[(&str, &str)]) -> Self {
        let modules = modules.iter().map(|(url, text)| (url.to_string(), text.to_string())).collect();
        Self { modules, ..Self::default() }
    }
}

impl Fetch for Table {
    fn get(&self, url: &str) -> Result<String, String> {
        self.asked.lock().unwrap().push(url.to_owned());
        self.modules.get(url).cloned().ok_or_else(|| "404 Not Found".to_owned())
    }
}

/// A directory with files; `$` in what is shown stands for its path.
struct Project(TempDir);

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = TempDir::new().unwrap();
        for (name, text) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(directory)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(name)
    }

    fn loader(&self, entry: &str, fetch: Table) -> Loader {
        let entry = Entry::File(self.path(entry));
        Loader::new(LoaderConfig { entry, fetch: Box::new(fetch), cache_dir: None, refresh: false })
    }

    fn load(&self, entry: &str) -> ModuleGraph {
        self.loader(entry, Table::default()).load().unwrap_or_else(|error| panic!("{error}"))
    }

    fn error(&self, entry: &str) -> String {
        let error = self.loader(entry, Table::default()).load().expect_err("it loads");
        self.shown(&error.to_string())
    }

    fn shown(&self, text: &str) -> String {
        text.replace(self.path("").to_str().unwrap().trim_end_matches('/'), "$")
    }

    /// Every module: kind, name, what it refers to, what is asked of it, code.
    fn describe(&self, graph: &ModuleGraph) -> String {
        let mut text = String::new();
        for module in &graph.modules {
            writeln!(text, "# {:?} {}", module.kind, module.specifier).unwrap();
            let mut imports: Vec<_> = module
                .imports
                .iter()
                .map(|(specifier, id)| format!("{specifier} -> {}", graph.module(*id).specifier))
                .chain(module.broken_imports.keys().map(|specifier| format!("{specifier} -> ?")))
                .collect();
            imports.sort();
            imports.iter().for_each(|import| writeln!(text, "  {import}").unwrap());
            if !module.requested_names.is_empty() {
                let names: Vec<_> = module.requested_names.iter().cloned().collect();
                writeln!(text, "  names: {}", names.join(" ")).unwrap();
            }
            if !module.code.is_empty() {
                writeln!(text, "{}", module.code.trim_end()).unwrap();
            }
        }
        self.shown(&text)
    }
}

/// The description of a project whose entry is its first file.
fn check(files: &[(&str, &str)]) -> String {
    let project = Project::new(files);
    project.describe(&project.load(files[0].0))
}

/// The error of a project whose entry is its first file.
fn check_error(files: &[(&str, &str)]) -> String {
    Project::new(files).error(files[0].0)
}

#[test]
fn javascript_stays_as_it_is() {
    let script = "import http from 'k6/http';\nimport { check, nope as no } from \"k6\";\n\nexport default () => {}; // é\n";
    let project = Project::new(&[("s.js", script)]);
    let graph = project.load("s.js");
    assert_eq!(&*graph.module(graph.entry).code, script);
    assert_eq!(graph.module(graph.entry).path, Some(project.path("s.js")));
    assert_snapshot!(project.describe(&graph), @"");
}

#[test]
fn files_are_told_apart_by_syntax() {
    let kind = |text: &str| {
        let project = Project::new(&[("s.js", text)]);
        let graph = project.load("s.js");
        graph.module(graph.entry).kind.clone()
    };
    for module in
        ["export const a = 1", "import 'k6'", "await null", "import.meta.url", "#!/usr/bin/env k6\nexport {}"]
    {
        assert_eq!(kind(module), ModuleKind::Es, "{module}");
    }
    let sloppy = [
        "",
        "exports.a = 1",
        "var f = function () {}",
        "with ({}) {}",
        "var a = 010; delete a",
        "function f(a, a) {}",
        "var await = 1, let = 2, yield = 3",
        "return 5",
        "<!-- an HTML comment",
        "/(?<a>.)(?<a>.)/; /\\p{Nope}/u",
        "import('k6')",
        "#!/usr/bin/env k6\nmodule.exports = 1",
    ];
    for script in sloppy {
        assert_eq!(kind(script), ModuleKind::CommonJs, "{script}");
    }
}

#[test]
fn common_js_is_wrapped_and_gives_the_names_asked_of_it() {
    assert_snapshot!(check(&[
        ("s.js", "import d, { a, default as e } from './c.js';\nexport { b as c } from './c.js';\nimport * as ns from './c.js';\nexport * as all from './c.js';\nimport f, * as g from './c.js';"),
        ("c.js", "#!/bin/k6\nexports.a = 1 // end"),
    ]), @"");
}

#[test]
fn star_exports_of_common_js_are_expanded() {
    assert_snapshot!(check(&[
        ("s.js", "export * from './c.js';\nexport * from './d.js'; export const own = 1;\nexport * from 'k6';"),
        ("c.js", "exports.a = 1; module.exports.b = 2; exports['c'] = 3; exports.own = 0; Object.defineProperty(exports, 'd', {}); __exportStar(require('./d.js'), exports)"),
        ("d.js", "Object.defineProperty(exports, '__esModule', {}); module.exports = { a, e: 1, 'f': 2, 'g-h': 3, default: 4, ...x }; module.exports = require('./c.js')"),
    ]), @"");
}

#[test]
fn require_is_followed_where_it_is_the_hosts() {
    assert_snapshot!(check(&[
        ("s.js", "const c = require('./c');\nexport default () => require('k6/execution');\nimport('./c.js'); require(c); try { require('left-pad') } catch {}"),
        ("c.js", "(function (require) { require('./inner') })(); require('./data.json'); exports.x = 1"),
        ("data.json", "{\"a\": 1}"),
    ]), @"");
}

#[test]
fn a_module_with_its_own_require_keeps_it() {
    let own = "const require = () => 1;\nexport default require('./x');";
    let project = Project::new(&[("s.js", own)]);
    let graph = project.load("s.js");
    assert_eq!(&*graph.module(graph.entry).code, own);
}

#[test]
fn what_only_a_require_reaches_may_fail() {
    let project = Project::new(&[
        ("s.js", "import './ok.js'; try { require('./a.js') } catch {} import('./bad.js'); export {}"),
        ("ok.js", "export {}"),
        ("a.js", "import './b.js'"),
        ("b.js", "import './missing.js'; import './ok.js'"),
        ("bad.js", "let x = = 1"),
    ]);
    let graph = project.load("s.js");
    let failure = |specifier| match graph.resolve(graph.entry, specifier) {
        Some(Err(error)) => project.shown(&error.to_string()),
        other => panic!("{other:?}"),
    };
    assert_snapshot!(failure("./a.js"), @"");
    assert_snapshot!(failure("./bad.js"), @"");
    assert!(matches!(graph.resolve(graph.entry, "./ok.js"), Some(Ok(_))));
    assert!(graph.resolve(graph.entry, "./b.js").is_none());
    assert!(graph.find(&format!("file://{}", project.path("b.js").display())).is_none());
}

#[test]
fn cycles_end() {
    let text = check(&[("a.js", "import './b.js'; export {}"), ("b.js", "import './a.js'; import './b.js'")]);
    assert_eq!(text.matches("# Es").count(), 2);
}

#[test]
fn json_is_a_module() {
    assert_snapshot!(check(&[
        ("s.js", "import data, { a } from './data.json' with { type: 'json' };\nimport more from './data.json'\n  with {\n  type: 'json' }; export { a };"),
        ("data.json", "{\"a\": 1}"),
    ]), @"");
    assert_snapshot!(check_error(&[("s.js", "import x from './x.json'"), ("x.json", "{\n  \"a\": nope }")]), @"");
}

#[test]
fn what_a_bundler_resolves_resolves() {
    let project = Project::new(&[
        ("tsconfig.json", r#"{ "compilerOptions": { "baseUrl": ".", "paths": { "@/*": ["src/*"] } } }"#),
        (
            "src/s.ts",
            "import './extension'; import './folder'; import '@/deep/aliased'; import 'package'; import '@scope/es/sub'; import './compiled.js'; require('package');",
        ),
        ("src/extension.js", ""),
        ("src/folder/index.ts", ""),
        ("src/deep/aliased.ts", ""),
        ("src/compiled.ts", ""),
        (
            "node_modules/package/package.json",
            r#"{ "main": "main.js", "exports": { "import": "./import.mjs", "require": "./main.js" } }"#,
        ),
        ("node_modules/package/main.js", ""),
        ("node_modules/package/import.mjs", "export {}"),
        ("node_modules/@scope/es/package.json", r#"{ "module": "module.js" }"#),
        ("node_modules/@scope/es/sub.js", ""),
    ]);
    let graph = project.load("src/s.ts");
    let mut found: Vec<_> = graph.modules.iter().map(|module| project.shown(&module.specifier)).collect();
    found.sort();
    assert_snapshot!(found.join("\n"), @"");
}

#[test]
fn a_missing_module_says_who_wants_it_and_what_may_be_meant() {
    let entry = |text: &str| {
        check_error(&[("s.js", text), ("helpers.js", ""), ("lib/Options.ts", ""), ("plain.js", "")])
    };
    assert_snapshot!(entry("\nimport { x } from './helper.js'"), @"");
    assert_snapshot!(entry("export * from './lib/options.js'"), @"");
    assert_snapshot!(entry("import './nothing/like/it.js'"), @"");
    assert_snapshot!(entry("import 'plain.js'"), @"");
    assert_snapshot!(entry("import x from 'lodash/fp'"), @"");
    assert_snapshot!(entry("import fs from 'fs'"), @"");
    assert_snapshot!(entry("import fs from 'node:fs'"), @"");
    assert_snapshot!(entry("import 'http://example.com/x.js'"), @"");
    assert_snapshot!(entry("import 'ftp://example.com/x.js'"), @"");
    assert_snapshot!(entry("import 'cdnjs.com/libraries/Faker'"), @"");
    assert_snapshot!(entry("import 'https://'"), @"");
    assert_snapshot!(entry("import ''"), @"");
    assert_snapshot!(Project::new(&[("script.js", "")]).error("scirpt.js"), @"");
    assert_snapshot!(Project::new(&[("dir/x.js", "")]).error("dir"), @"");
}

#[test]
fn a_missing_module_in_typescript_is_placed_in_the_source() {
    assert_snapshot!(
        check_error(&[("s.ts", "interface A {\n  a: string }\n\nenum E { A }\n/* é */ import x from './x.ts'; export default x as E")]),
        @""
    );
}

#[test]
fn syntax_errors_show_the_place() {
    assert_snapshot!(check_error(&[("s.js", "import './lib.js'"), ("lib.js", "export const a = 1;\n\tlet é = = 3;\n")]), @"");
    assert_snapshot!(check_error(&[("s.js", "function f() {\n  exports.a = {;\n}")]), @"");
    assert_snapshot!(check_error(&[("s.ts", "export const a: = 1;")]), @"");
    assert_snapshot!(check_error(&[("s.tsx", "export const a: number = <div>{1}</div>;")]), @"");
    let long = format!("export const a = '{}'; let = = 1; '{}'", "x".repeat(100_000), "y".repeat(100_000));
    assert_snapshot!(check_error(&[("s.js", &long)]), @"");
}

#[test]
fn typescript_becomes_javascript() {
    assert_snapshot!(check(&[
        ("s.ts", r#"import { type User, find } from './users';
import { User as Unused } from './users';
import type { Options } from 'k6/options';
import http, { RefinedResponse } from 'k6/http';

export const options: Options = { vus: 1 };
enum Level { Low = 1, High }
const enum Inlined { A = 'a' }
namespace Names { export const first = 'x'; }
class Box<T> {
  #secret = 1;
  constructor(private readonly value: T, public other = 2) {}
  get(this: Box<T>): T { return this.value!; }
}
abstract class Shape { abstract area(): number; declare hidden: string; }
export default function main(data?: unknown): void {
  const user = find<User>('a') satisfies User;
  http.get(`http://x/${Level.High}` as string);
  console.log(Inlined.A, Names.first, new Box<number>(1), user, Shape);
}
"#),
        ("users.ts", "export interface User { name: string }\nexport function find<T>(name: string): T { return { name } as T }\n"),
    ]), @"");
}

#[test]
fn decorators_bring_their_helper() {
    assert_snapshot!(check(&[("s.ts", "export class A {\n  @log m(@arg a: number) {}\n}\n")]), @"");
}

#[test]
fn a_script_on_standard_input_imports_from_the_working_directory() {
    let project = Project::new(&[("lib.js", "export const a = 1")]);
    let load = |source: &str| {
        let entry = Entry::Stdin { source: source.to_owned(), cwd: project.path("") };
        let fetch = Box::new(Table::default());
        let graph = Loader::new(LoaderConfig { entry, fetch, cache_dir: None, refresh: false }).load();
        project.describe(&graph.unwrap_or_else(|error| panic!("{error}")))
    };
    assert_snapshot!(load("import './lib.js'"), @"");
    assert_snapshot!(load("import { a } from './lib'; export const b: number = a"), @"");
}

#[test]
fn remote_modules_resolve_against_their_url() {
    let project = Project::new(&[(
        "s.js",
        "import { uuid } from 'https://jslib.k6.io/utils/1.4.0/index.js?x=1'; export {}",
    )]);
    let fetch = Table::new(&[
        (
            "https://jslib.k6.io/utils/1.4.0/index.js?x=1",
            "exports.uuid = () => { require('k6/crypto'); require('../other.js'); require('/root.ts') }",
        ),
        ("https://jslib.k6.io/utils/other.js", "import 'https://example.com/gone.js'; export {}"),
        ("https://jslib.k6.io/root.ts", "export const x: number = 1"),
    ]);
    let graph = project.loader("s.js", fetch).load().unwrap();
    assert_snapshot!(project.describe(&graph), @"");
}

#[test]
fn remote_modules_reach_no_local_ones() {
    let remote = |text: &str| {
        let project = Project::new(&[("s.js", "import 'https://a.test/b/c.js'")]);
        let fetch = Table::new(&[("https://a.test/b/c.js", text)]);
        project.shown(&project.loader("s.js", fetch).load().expect_err("it loads").to_string())
    };
    assert_snapshot!(remote("import 'file:///etc/passwd'"), @"");
    assert_snapshot!(remote("import 'lodash'"), @"");
    assert_snapshot!(remote("import './d.js'"), @"");
}

#[test]
fn fetched_modules_are_kept() {
    const URL: &str = "https://a.test/x.js";
    let project = Project::new(&[("s.js", "import 'https://a.test/x.js'; export {}")]);
    let cache = project.path("cache");
    let load = |text: Option<&str>, refresh: bool| {
        let fetch = text.map(|text| Table::new(&[(URL, text)])).unwrap_or_default();
        let asked = Arc::clone(&fetch.asked);
        let entry = Entry::File(project.path("s.js"));
        let config = LoaderConfig { entry, fetch: Box::new(fetch), cache_dir: Some(cache.clone()), refresh };
        let graph = Loader::new(config).load();
        let source = graph.map(|graph| graph.module(graph.find(URL).unwrap()).source.to_string());
        let asked = asked.lock().unwrap().len();
        (source.ok(), asked)
    };
    assert_eq!(load(None, false), (None, 1));
    assert_eq!(load(Some("one\n\n"), false), (Some("one\n\n".into()), 1));
    assert_eq!(load(None, false), (Some("one\n\n".into()), 0));
    assert_eq!(load(Some("two"), true), (Some("two".into()), 1));

    let files: Vec<_> = fs::read_dir(&cache).unwrap().flatten().map(|entry| entry.path()).collect();
    assert_eq!(files.len(), 1);
    assert_eq!(fs::read_to_string(&files[0]).unwrap(), "https://a.test/x.js\ntwo");
    fs::write(&files[0], "https://other.test/\nforged").unwrap();
    assert_eq!(load(Some("three"), false), (Some("three".into()), 1));
}

#[test]
fn computed_specifiers_are_loaded_later() {
    let project = Project::new(&[
        ("s.js", "export const load = (name) => require(name)"),
        ("late.ts", "import { a } from './c.js'; import * as ns from './c.js'; export const b: number = a"),
        ("c.js", "exports.a = 1"),
    ]);
    let loader = project.loader("s.js", Table::default());
    let mut graph = loader.load().unwrap();
    let entry = graph.entry;
    assert!(graph.resolve(entry, "./late.ts").is_none());
    let late = loader.load_more(&mut graph, entry, "./late.ts").unwrap();
    assert_eq!(loader.load_more(&mut graph, entry, "./late.ts"), Ok(late));
    assert_eq!(graph.resolve(entry, "./late.ts"), Some(Ok(late)));
    let error = loader.load_more(&mut graph, entry, "./gone.js").unwrap_err();
    assert_eq!(graph.resolve(entry, "./gone.js"), Some(Err(&error)));
    assert_snapshot!(project.describe(&graph), @"");
}

#[test]
fn a_long_chain_of_imports_does_not_exhaust_the_stack() {
    let names: Vec<_> = (0..500).map(|index| format!("m{index}.js")).collect();
    let texts: Vec<_> = (0..500).map(|index| format!("import './m{}.js'; export {{}}", index + 1)).collect();
    let mut files: Vec<_> =
        names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_str())).collect();
    files.push(("m500.js", "export {}"));
    let project = Project::new(&files);
    assert_eq!(project.load("m0.js").modules.len(), 501);
    fs::remove_file(project.path("m500.js")).unwrap();
    assert!(project.error("m0.js").contains("m499.js:1:8"));
}

#[test]
fn deeply_nested_code_is_an_error_or_loads() {
    let nested = format!("export default {}1{}", "(".repeat(500), ")".repeat(500));
    let project = Project::new(&[("s.js", &nested)]);
    assert_eq!(project.load("s.js").modules.len(), 1);
}

#[test]
fn bytes_that_are_not_text_load_or_are_an_error() {
    let project = Project::new(&[]);
    fs::write(project.path("bom.js"), b"\xef\xbb\xbfexport {}").unwrap();
    fs::write(project.path("bad.js"), b"export const a = '\xff'").unwrap();
    fs::write(project.path("zero.js"), b"\0\0").unwrap();
    assert_eq!(&*project.load("bom.js").modules[0].source, "export {}");
    assert_eq!(&*project.load("bad.js").modules[0].source, "export const a = '\u{fffd}'");
    assert_snapshot!(project.error("zero.js"), @"");
}

fn position_of(project: &Project, graph: &ModuleGraph, name: &str, needle: &str) -> String {
    let specifier = format!("file://{}", project.path(name).display());
    let module = graph.module(graph.find(&specifier).unwrap());
    let offset = module.code.find(needle).unwrap();
    let before = &module.code[..offset];
    let line = before.matches('\n').count() + 1;
    let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1) + 1;
    // QuickJS counts columns of the first line from 0.
    let engine_column = if line == 1 { column - 1 } else { column };
    let stack = format!(
        "    at f ({specifier}:{line}:{engine_column})\n    at g (native)\n    at {specifier}:{line}:{engine_column}\n"
    );
    project.shown(&crate::rewrite_stack(graph, &stack))
}

#[test]
fn stacks_lead_to_the_source() {
    let files = [
        (
            "s.ts",
            "interface A { a: string }\n\nenum E { A }\n  /* é */ const é: E = fail<A>('é'); fail(2);\nexport default E;\nimport './c d(1).js'; import './x.js'",
        ),
        ("c d(1).js", "var é = 1; fail(3)\n  fail(4)"),
        (
            "x.js",
            "import * as é from './c d(1).js'; import * as b from './c d(1).js'; fail(5);\nexport * from\n 'k6'; fail(6);\nexport *\n from './c d(1).js'; fail(7)",
        ),
    ];
    let project = Project::new(&files);
    let graph = project.load("s.ts");
    let _ = Path::new("");
    let found: Vec<_> = [
        ("s.ts", "fail(\"é\")"),
        ("s.ts", "fail(2)"),
        ("x.js", "fail(5)"),
        ("x.js", "fail(6)"),
        ("x.js", "fail(7)"),
    ]
    .iter()
    .map(|(name, needle)| position_of(&project, &graph, name, needle))
    .collect();
    assert_snapshot!(found.join(""), @"");
}
