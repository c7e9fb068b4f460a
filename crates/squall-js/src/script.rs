//! The script as every VU loads it: the module graph, and bytecode that the first VU compiles for the others.

use std::{
    collections::BTreeSet,
    ffi::CString,
    mem::MaybeUninit,
    sync::{Arc, OnceLock},
};

use rquickjs::{
    Ctx, Error, Exception, Function, Module, Object, Persistent, Result, Runtime, Value, WriteOptions,
    atom::PredefinedAtom,
    function::This,
    loader::{ImportAttributes, Loader, Resolver},
    module::{Declarations, Declared, Exports, ModuleDef},
    qjs,
};
use squall_loader::{ModuleGraph, ModuleId, ModuleKind, NAMESPACE_EXPORT, Sharing};

use crate::{errors, modules, vu};

/// A loaded script, shared by all threads.
pub struct Script {
    graph: ModuleGraph,
    /// By module: what the first VU that needed it compiled.
    bytecode: Vec<OnceLock<Box<[u8]>>>,
}

impl Script {
    /// Takes a graph that [`squall_loader::Loader`] made.
    pub fn new(graph: ModuleGraph) -> Script {
        let bytecode = graph.modules.iter().map(|_| OnceLock::new()).collect();
        Script { graph, bytecode }
    }

    /// The modules, for messages.
    pub fn graph(&self) -> &ModuleGraph {
        &self.graph
    }

    /// Whether functions of the entry module read the options that it exports.
    pub(crate) fn reads_options(&self) -> bool {
        self.graph.module(self.graph.entry).reads_options
    }

    /// Whether nothing that a VU does can show on what the VUs of a realm share.
    pub(crate) fn lets_vus_share_a_realm(&self) -> bool {
        matches!(self.graph.sharing, Sharing::Shared { .. })
    }

    /// The names of properties that the script assigns to, where its VUs may share a realm.
    pub(crate) fn assigned_names(&self) -> &BTreeSet<String> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        match &self.graph.sharing {
            Sharing::Shared { assigned_names, .. } => assigned_names,
            Sharing::Private(_) => &NONE,
        }
    }

    /// Whether VUs that share a realm may share its `__ENV`.
    pub(crate) fn only_reads_env(&self) -> bool {
        matches!(self.graph.sharing, Sharing::Shared { only_reads_env: true, .. })
    }

    /// Runs the entry module for a VU and returns what it exports.
    pub(crate) fn evaluate<'js>(self: &Arc<Self>, ctx: &Ctx<'js>) -> Result<Object<'js>> {
        let id = self.graph.entry;
        let entry = self.graph.module(id);
        match entry.kind {
            ModuleKind::CommonJs => as_exports(self.require(ctx, id)?),
            ModuleKind::Factory => {
                self.check_host_modules(ctx)?;
                let exports = self.exports(ctx, id)?;
                // Functions have closed over what they need.
                vu::current().exports.take();
                Ok(exports)
            }
            _ => self.import(ctx, &entry.specifier),
        }
    }

    /// Host modules that are not there are told before anything runs, as where the engine links modules.
    fn check_host_modules(&self, ctx: &Ctx) -> Result<()> {
        for (index, module) in self.graph.modules.iter().enumerate() {
            if module.kind != ModuleKind::Factory {
                continue;
            }
            for (specifier, &target) in &module.imports {
                if let ModuleKind::Host(name) = &self.graph.module(target).kind
                    && !modules::exists(name)
                {
                    return Err(self.throw_unknown_host(ctx, ModuleId(index), specifier, name));
                }
            }
        }
        Ok(())
    }

    fn throw_unknown_host(&self, ctx: &Ctx, from: ModuleId, specifier: &str, name: &str) -> Error {
        let place = importing_line(&self.graph, from, specifier);
        errors::throw_go(ctx, &format!("{}{place}", modules::unknown(name)))
    }

    /// What a module exports to the factories of this VU, evaluated when first asked for.
    fn exports<'js>(self: &Arc<Self>, ctx: &Ctx<'js>, id: ModuleId) -> Result<Object<'js>> {
        let vu = vu::current();
        let known = |exports: &Persistent<Object<'static>>| exports.clone().restore(ctx);
        let module = self.graph.module(id);
        if let ModuleKind::Host(name) = &module.kind {
            if let Some(face) = vu.realm.host_faces.borrow().get(&id) {
                return known(face);
            }
            let face = modules::load(ctx, name)?;
            let face = self.face(ctx, id, modules::load_default(ctx, name)?.into_value(), Some(&face))?;
            vu.realm.guard(ctx, face.as_value())?;
            vu.realm.host_faces.borrow_mut().insert(id, Persistent::save(ctx, face.clone()));
            return Ok(face);
        }
        if let Some(exports) = vu.exports.borrow().get(&id) {
            return known(exports);
        }
        let exports = match module.kind {
            ModuleKind::Factory => {
                let exports: Object = self.wrapper(ctx, id)?.call((self.import_function(ctx)?,))?;
                // `import * as ns` sees this very object.
                make_namespace(&exports)?;
                exports
            }
            _ => {
                let value = self.require(ctx, id)?;
                self.face(ctx, id, value.clone(), value.as_object())?
            }
        };
        vu.exports.borrow_mut().insert(id, Persistent::save(ctx, exports.clone()));
        Ok(exports)
    }

    /// An ES face for what is not an ES module, as an object: see [`ValueModule`].
    fn face<'js>(
        &self,
        ctx: &Ctx<'js>,
        id: ModuleId,
        value: Value<'js>,
        named: Option<&Object<'js>>,
    ) -> Result<Object<'js>> {
        let face = Object::new(ctx.clone())?;
        face.set_prototype(None)?;
        for name in export_names(&self.graph, ctx, id)? {
            face.set(name.as_str(), export(ctx, &name, &value, named)?)?;
        }
        face.set("default", value)?;
        make_namespace(&face)?;
        Ok(face)
    }

    /// `__squall_import` of factories.
    fn import_function<'js>(self: &Arc<Self>, ctx: &Ctx<'js>) -> Result<Function<'js>> {
        let realm = &vu::current().realm;
        if let Some(known) = realm.import.get() {
            return known.clone().restore(ctx);
        }
        let script = Arc::clone(self);
        let import = move |ctx: Ctx<'js>, id: usize| {
            script.exports(&ctx, ModuleId(id)).map_err(|error| errors::without_callers(&ctx, error))
        };
        let function = Function::new(ctx.clone(), import)?;
        realm.import.get_or_init(|| Persistent::save(ctx, function.clone()));
        Ok(function)
    }

    /// The function that a module is compiled to, made once a realm.
    fn wrapper<'js>(&self, ctx: &Ctx<'js>, id: ModuleId) -> Result<Function<'js>> {
        let realm = &vu::current().realm;
        if let Some(known) = realm.wrappers.borrow().get(&id) {
            return known.clone().restore(ctx);
        }
        let function = self.evaluate_script(ctx, id)?;
        realm.wrappers.borrow_mut().insert(id, Persistent::save(ctx, function.clone()));
        Ok(function)
    }

    /// Imports a module by its canonical name and waits for it; other VUs run meanwhile.
    fn import<'js>(&self, ctx: &Ctx<'js>, specifier: &str) -> Result<Object<'js>> {
        let promise = Module::import(ctx, specifier)?;
        vu::current().events.run_until_settled(ctx, &promise)?;
        promise.result::<Object>().unwrap_or_else(|| {
            Err(Exception::throw_message(
                ctx,
                &format!("{specifier} waits at its top level for something that never happens"),
            ))
        })
    }

    /// What `require` of a module gives: `module.exports`, a namespace, parsed JSON or a host module.
    fn require<'js>(self: &Arc<Self>, ctx: &Ctx<'js>, id: ModuleId) -> Result<Value<'js>> {
        let module = self.graph.module(id);
        match &module.kind {
            ModuleKind::Es => Ok(self.import(ctx, &module.specifier)?.into_value()),
            ModuleKind::Host(name) => Ok(modules::load_default(ctx, name)?.into_value()),
            ModuleKind::Json => ctx.json_parse(module.code.as_bytes()),
            ModuleKind::CommonJs => self.require_common_js(ctx, id),
            ModuleKind::Factory => Ok(self.exports(ctx, id)?.into_value()),
        }
    }

    /// Runs a CommonJS module once a VU; a cycle sees what is exported so far.
    fn require_common_js<'js>(self: &Arc<Self>, ctx: &Ctx<'js>, id: ModuleId) -> Result<Value<'js>> {
        let vu = vu::current();
        if let Some(known) = vu.common_js.borrow().get(&id) {
            return known.clone().restore(ctx)?.get("exports");
        }
        let module = Object::new(ctx.clone())?;
        module.set("exports", Object::new(ctx.clone())?)?;
        vu.common_js.borrow_mut().insert(id, Persistent::save(ctx, module.clone()));
        let run = || -> Result<()> {
            let wrapper = self.wrapper(ctx, id)?;
            let exports: Value = module.get("exports")?;
            let path = self.graph.module(id).path.as_deref();
            let file = path.map(|path| path.to_string_lossy().into_owned());
            let folder = path.and_then(|path| path.parent()).map(|path| path.to_string_lossy().into_owned());
            // As in k6 and Node, `this` is what the module exports to.
            let this = This(exports.clone());
            wrapper.call((this, exports, self.require_function(ctx, id)?, module.clone(), file, folder))
        };
        if let Err(error) = run() {
            vu.common_js.borrow_mut().remove(&id);
            return Err(error);
        }
        module.get("exports")
    }

    /// The `require` that a module sees: it resolves from that module.
    pub(crate) fn require_function<'js>(
        self: &Arc<Self>,
        ctx: &Ctx<'js>,
        from: ModuleId,
    ) -> Result<Function<'js>> {
        let script = Arc::clone(self);
        Function::new(ctx.clone(), move |ctx: Ctx<'js>, specifier: String| {
            if !vu::current().in_init() {
                return Err(errors::throw_go(
                    &ctx,
                    "require() works only while the script is loaded, outside of the functions that VUs run",
                ));
            }
            let id = script.resolve(&ctx, from, &specifier)?;
            script.require(&ctx, id)
        })?
        .with_name("require")
    }

    fn resolve(&self, ctx: &Ctx, from: ModuleId, specifier: &str) -> Result<ModuleId> {
        match self.graph.resolve(from, specifier) {
            Some(Ok(id)) => Ok(id),
            Some(Err(error)) => Err(errors::throw_go(ctx, &error.to_string())),
            None => self.graph.find(specifier).ok_or_else(|| {
                let message = format!(
                    "the module \"{specifier}\" was not found: a computed specifier can only name a module that is \
                     imported somewhere by its literal name"
                );
                errors::throw_go(ctx, &message)
            }),
        }
    }

    /// Compiles or reloads a module's code as a sloppy script and evaluates it.
    fn evaluate_script<'js>(&self, ctx: &Ctx<'js>, id: ModuleId) -> Result<Function<'js>> {
        let raw = ctx.as_raw().as_ptr();
        // SAFETY: `raw` is this context; every value is freed or handed to rquickjs exactly once.
        unsafe {
            let compiled = match self.bytecode[id.0].get() {
                Some(bytes) => {
                    qjs::JS_ReadObject(raw, bytes.as_ptr(), bytes.len() as _, qjs::JS_READ_OBJ_BYTECODE as _)
                }
                None => {
                    let module = self.graph.module(id);
                    let name = CString::new(module.specifier.as_str())?;
                    let code = CString::new(module.code.as_bytes())?;
                    let flags = qjs::JS_EVAL_TYPE_GLOBAL | qjs::JS_EVAL_FLAG_COMPILE_ONLY;
                    qjs::JS_Eval(raw, code.as_ptr(), code.as_bytes().len() as _, name.as_ptr(), flags as _)
                }
            };
            if qjs::JS_IsException(compiled) {
                return Err(Error::Exception);
            }
            self.bytecode[id.0].get_or_init(|| write_bytecode(raw, compiled));
            let value = qjs::JS_EvalFunction(raw, compiled);
            if qjs::JS_IsException(value) {
                return Err(Error::Exception);
            }
            Value::from_raw(ctx.clone(), value).get()
        }
    }

    /// Compiles an ES module or reloads it from bytecode.
    fn declare_es<'js>(self: &Arc<Self>, ctx: &Ctx<'js>, id: ModuleId) -> Result<Module<'js, Declared>> {
        let source = self.graph.module(id);
        let module = match self.bytecode[id.0].get() {
            // SAFETY: these bytes were written by the same build of QuickJS in this process.
            Some(bytes) => unsafe { Module::load(ctx.clone(), bytes)? },
            None => {
                let module = Module::declare(ctx.clone(), source.specifier.as_str(), source.code.as_bytes())?;
                let bytes = module.write(WriteOptions::default())?;
                self.bytecode[id.0].get_or_init(|| bytes.into_boxed_slice());
                module
            }
        };
        if source.code.contains("import.meta") {
            self.define_meta(ctx, id, &module.meta()?)?;
        }
        Ok(module)
    }

    fn define_meta<'js>(self: &Arc<Self>, ctx: &Ctx<'js>, id: ModuleId, meta: &Object<'js>) -> Result<()> {
        meta.set("url", self.graph.module(id).specifier.as_str())?;
        meta.set("require", self.require_function(ctx, id)?)?;
        let script = Arc::clone(self);
        let resolve = move |ctx: Ctx<'js>, specifier: String| {
            let found = script.resolve(&ctx, id, &specifier)?;
            Ok::<_, Error>(script.graph.module(found).specifier.clone())
        };
        meta.set("resolve", Function::new(ctx.clone(), resolve)?)
    }
}

/// A CommonJS entry may export anything; the run needs an object to look functions up in.
fn as_exports(value: Value) -> Result<Object> {
    let ctx = value.ctx().clone();
    match value.into_object() {
        Some(object) => Ok(object),
        None => Object::new(ctx),
    }
}

/// # Safety
/// `value` is compiled code of the context.
unsafe fn write_bytecode(context: *mut qjs::JSContext, value: qjs::JSValue) -> Box<[u8]> {
    unsafe {
        let mut length = MaybeUninit::uninit();
        let bytes = qjs::JS_WriteObject(context, length.as_mut_ptr(), value, qjs::JS_WRITE_OBJ_BYTECODE as _);
        if bytes.is_null() {
            return Box::default();
        }
        let copy = std::slice::from_raw_parts(bytes, length.assume_init() as usize).into();
        qjs::js_free(context, bytes.cast());
        copy
    }
}

/// Lets QuickJS find modules in the script of the running VU.
pub(crate) fn install_loader(runtime: &Runtime) {
    runtime.set_loader(GraphResolver, GraphLoader);
}

struct GraphResolver;

impl Resolver for GraphResolver {
    fn resolve<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        base: &str,
        name: &str,
        _attributes: Option<ImportAttributes<'js>>,
    ) -> Result<String> {
        let script = Arc::clone(&vu::current().worker.script);
        let graph = &script.graph;
        let id = match graph.find(base) {
            Some(from) => script.resolve(ctx, from, name)?,
            None => graph.find(name).ok_or_else(|| Error::new_resolving(base, name))?,
        };
        let module = graph.module(id);
        match &module.kind {
            ModuleKind::Host(host) if !modules::exists(host) => Err(match graph.find(base) {
                Some(from) => script.throw_unknown_host(ctx, from, name, host),
                None => errors::throw_go(ctx, &modules::unknown(host)),
            }),
            _ => Ok(module.specifier.clone()),
        }
    }
}

/// Where a module names `specifier` first, with that line.
fn importing_line(graph: &ModuleGraph, from: ModuleId, specifier: &str) -> String {
    let module = graph.module(from);
    let quoted = |quote| module.source.find(&format!("{quote}{specifier}{quote}"));
    let Some(position) = quoted('\'').or_else(|| quoted('"')) else { return String::new() };
    let before = &module.source[..position];
    let line = before.matches('\n').count() as u32 + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() as u32 + 1;
    let frame = squall_loader::code_frame(graph, &module.specifier, line, column);
    format!("\n    at {}:{line}:{column}\n{frame}", module.specifier)
}

struct GraphLoader;

impl Loader for GraphLoader {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        name: &str,
        _attributes: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js, Declared>> {
        let script = Arc::clone(&vu::current().worker.script);
        let id = script.graph.find(name).ok_or_else(|| Error::new_loading(name))?;
        match script.graph.module(id).kind {
            ModuleKind::Es => script.declare_es(ctx, id),
            _ => Module::declare_def::<ValueModule, _>(ctx.clone(), name),
        }
    }
}

/// An ES face for what is not an ES module: a host module, CommonJS, JSON. It exports `default` and every name that
/// some importer asks for; a name the value lacks is undefined, not a link error, as in k6.
struct ValueModule;

impl ValueModule {
    fn names(ctx: &Ctx, specifier: &str) -> Result<Vec<String>> {
        let script = Arc::clone(&vu::current().worker.script);
        let Some(id) = script.graph.find(specifier) else { return Ok(Vec::new()) };
        export_names(&script.graph, ctx, id)
    }
}

/// Names to export besides `default`.
fn export_names(graph: &ModuleGraph, ctx: &Ctx, id: ModuleId) -> Result<Vec<String>> {
    let module = graph.module(id);
    let mut names: Vec<String> = module.requested_names.iter().cloned().collect();
    match &module.kind {
        ModuleKind::Host(name) => {
            // Known before it runs, so that `import * as http` has every key.
            for key in modules::load(ctx, name)?.keys::<String>() {
                names.push(key?);
            }
        }
        _ => names.push(NAMESPACE_EXPORT.to_owned()),
    }
    names.sort_unstable();
    names.dedup();
    names.retain(|name| name != "default");
    Ok(names)
}

/// What a value exports by a name, when `named` has the names.
fn export<'js>(
    ctx: &Ctx<'js>,
    name: &str,
    value: &Value<'js>,
    named: Option<&Object<'js>>,
) -> Result<Value<'js>> {
    match named {
        _ if name == NAMESPACE_EXPORT => Ok(namespace(ctx, value)?.into_value()),
        Some(object) => object.get(name),
        None => Ok(Value::new_undefined(ctx.clone())),
    }
}

impl ModuleDef for ValueModule {
    fn declare<'js>(declarations: &Declarations<'js>) -> Result<()> {
        let module = declarations.module();
        let specifier: String = module.name()?;
        for name in Self::names(module.ctx(), &specifier)? {
            declarations.declare(name)?;
        }
        declarations.declare("default")?;
        Ok(())
    }

    fn evaluate<'js>(ctx: &Ctx<'js>, exports: &Exports<'js>) -> Result<()> {
        let specifier: String = exports.module().name()?;
        let script = Arc::clone(&vu::current().worker.script);
        let Some(id) = script.graph.find(&specifier) else { return Err(Error::new_loading(&specifier)) };
        let value = script.require(ctx, id)?;
        let named = match &script.graph.module(id).kind {
            ModuleKind::Host(name) => Some(modules::load(ctx, name)?),
            _ => value.as_object().cloned(),
        };
        for name in Self::names(ctx, &specifier)? {
            let export = export(ctx, &name, &value, named.as_ref())?;
            exports.export(name, export)?;
        }
        exports.export("default", value)?;
        Ok(())
    }
}

/// Makes an object without a prototype what `import * as ns` shows.
fn make_namespace(object: &Object) -> Result<()> {
    object.prop(PredefinedAtom::SymbolToStringTag, "Module")?;
    // SAFETY: a live object of its own context.
    unsafe { qjs::JS_FreezeObject(object.ctx().as_raw().as_ptr(), object.as_raw()) };
    Ok(())
}

/// What `import * as ns` of a CommonJS module sees: the keys of `module.exports`, and no `default` besides, as in k6.
fn namespace<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Result<Object<'js>> {
    let namespace = Object::new(ctx.clone())?;
    namespace.set_prototype(None)?;
    if let Some(object) = value.as_object() {
        for key in object.keys::<String>() {
            let key = key?;
            namespace.set(key.as_str(), object.get::<_, Value>(key.as_str())?)?;
        }
    }
    make_namespace(&namespace)?;
    Ok(namespace)
}
