//! `squall new`: writes a first script from a template.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    path::Path,
};

use crate::{
    args::{NewArgs, switch},
    error::{Error, Result},
    exit_code::ExitCode,
    process::Process,
};

const MINIMAL: &str = include_str!("new/minimal.js");
const PROTOCOL: &str = include_str!("new/protocol.js");

/// Writes the script; an existing file only goes with `--force`.
pub fn execute(args: &NewArgs, process: &Process) -> Result<ExitCode> {
    let script = fill_in(&template(&args.template, process)?, args);
    let path = process.resolve(&args.file);
    let force = switch(args.force).unwrap_or(false);
    write(&path, &script, force).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Error::usage(format!("{} already exists", args.file)).hint("use --force to overwrite it")
        }
        _ => Error::usage(format!("cannot write {}: {error}", args.file)),
    })?;
    process.console.print(&format!(
        "Wrote {} from the {} template. Run it with: squall run {}\n",
        args.file, args.template, args.file
    ));
    Ok(ExitCode::Success)
}

fn template(name: &str, process: &Process) -> Result<String> {
    match name {
        "minimal" => Ok(MINIMAL.to_owned()),
        "protocol" => Ok(PROTOCOL.to_owned()),
        "browser" => {
            Err(Error::usage("Squall does not drive browsers").hint("use --template minimal or protocol"))
        }
        path => fs::read_to_string(process.resolve(path)).map_err(|error| {
            Error::usage(format!("cannot read the template {path}: {error}"))
                .hint("use --template minimal, protocol or the path of a file")
        }),
    }
}

/// Puts in what k6's templates may ask for.
fn fill_in(template: &str, args: &NewArgs) -> String {
    template
        .replace("{{ .ScriptName }}", &args.file)
        .replace("{{.ScriptName}}", &args.file)
        .replace("{{ .ProjectID }}", &args.project_id)
        .replace("{{.ProjectID}}", &args.project_id)
}

fn write(path: &Path, script: &str, overwrite: bool) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    match overwrite {
        true => options.write(true).create(true).truncate(true),
        false => options.write(true).create_new(true),
    };
    options.open(path)?.write_all(script.as_bytes())
}

#[cfg(test)]
mod tests;
