//! `open(path, mode)`: a file's text, or its bytes with mode `"b"`. Init only; read once a process.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rquickjs::{ArrayBuffer, Ctx, IntoJs, Result, Value, function::Opt};

use crate::{errors::throw_go, vu};

pub(super) fn open<'js>(ctx: Ctx<'js>, path: Opt<Value<'js>>, mode: Opt<String>) -> Result<Value<'js>> {
    let vu = vu::current();
    if !vu.in_init() {
        return Err(throw_go(
            &ctx,
            "open() works only while the script is loaded, outside of the functions that VUs run",
        ));
    }
    let name = match path.0.as_ref().and_then(Value::as_string) {
        Some(name) => name.to_string()?,
        None => String::new(),
    };
    if name.is_empty() {
        return Err(throw_go(&ctx, "open() needs the name of a file"));
    }
    let path = absolute(&vu.worker.settings.base_dir, &name);
    let bytes = read(&vu.worker.shared.files, &path).map_err(|error| {
        throw_go(&ctx, &format!("open({name:?}) could not read {}: {error}", path.display()))
    })?;
    match mode.0.as_deref() {
        Some("b") => Ok(ArrayBuffer::new_copy(ctx.clone(), &*bytes)?.into_value()),
        _ => String::from_utf8_lossy(&bytes).into_js(&ctx),
    }
}

/// Relative names start from the entry script's folder, not from the file that calls.
fn absolute(base: &Path, name: &str) -> PathBuf {
    base.join(name.strip_prefix("file://").unwrap_or(name))
}

type Files = std::sync::Mutex<std::collections::BTreeMap<PathBuf, Arc<[u8]>>>;

fn read(files: &Files, path: &Path) -> std::io::Result<Arc<[u8]>> {
    let mut files = files.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(known) = files.get(path) {
        return Ok(Arc::clone(known));
    }
    if path.is_dir() {
        return Err(std::io::Error::other("it is a folder"));
    }
    let bytes: Arc<[u8]> = std::fs::read(path)?.into();
    files.insert(path.to_owned(), Arc::clone(&bytes));
    Ok(bytes)
}
