//! A realm: a QuickJS context with its built-ins, and what host modules and compiled code are in it.
//!
//! A VU has a realm of its own, unless names in the script prove that nothing it does shows on shared objects
//! ([`squall_loader::Sharing`]). Then the VUs of a group share one: each has module scopes of its own, made by calling
//! functions whose bytecode all of them share, and a VU costs a twentieth. What names cannot prove, writing to
//! a built-in through a computed property name, a shared realm refuses: all that VUs share is unwritable.

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use rquickjs::{Context, Ctx, Function, Object, Persistent, Result, Value, context::EvalOptions};
use rustc_hash::FxHashMap;
use squall_loader::ModuleId;

use crate::{
    globals,
    guard::Guard,
    modules::{http::FieldAtoms, k6::CheckSeries},
    runtime::{memory::Heap, shapes::Shapes},
    vu,
};

/// Makes a function that makes host functions the realm's, for one that is not the first of its runtime.
const ADOPT: &str = include_str!("adopt.js");

/// What the global object does not lead to.
const HIDDEN: &str = r"[
    function* () {}, async function () {}, async function* () {}, [].values(), new Map().values(), new Set().values(),
    ''[Symbol.iterator](), ''.matchAll(/x/g), [].values().map((x) => x), Iterator.from({ next() {} }),
].map(Object.getPrototypeOf)";

/// One context and what its VUs share.
pub(crate) struct Realm {
    context: Context,
    pub(crate) heap: Rc<Heap>,
    pub(crate) is_shared: bool,
    is_equipped: Cell<bool>,
    keeper: OnceCell<Keeper>,
    /// Prototypes of host classes, by name.
    pub(crate) prototypes: RefCell<FxHashMap<&'static str, Persistent<Object<'static>>>>,
    /// Globals that were made when first read.
    pub(crate) made_globals: RefCell<HashMap<&'static str, Persistent<Value<'static>>>>,
    pub(crate) host_modules: RefCell<HashMap<&'static str, Persistent<Object<'static>>>>,
    /// What factories see of host modules.
    pub(crate) host_faces: RefCell<HashMap<ModuleId, Persistent<Object<'static>>>>,
    /// The functions that modules are compiled to.
    pub(crate) wrappers: RefCell<HashMap<ModuleId, Persistent<Function<'static>>>>,
    /// What factories import with.
    pub(crate) import: OnceCell<Persistent<Function<'static>>>,
    pub(crate) field_atoms: OnceCell<FieldAtoms>,
    pub(crate) check_series: CheckSeries,
    pub(crate) shapes: Shapes,
}

impl Realm {
    pub(crate) fn new(context: Context, heap: Rc<Heap>, is_shared: bool) -> Realm {
        Realm {
            context,
            heap,
            is_shared,
            is_equipped: Cell::new(false),
            keeper: OnceCell::new(),
            prototypes: RefCell::default(),
            made_globals: RefCell::default(),
            host_modules: RefCell::default(),
            host_faces: RefCell::default(),
            wrappers: RefCell::default(),
            import: OnceCell::new(),
            field_atoms: OnceCell::new(),
            check_series: CheckSeries::default(),
            shapes: Shapes::default(),
        }
    }

    /// The context, for the fiber of one of its VUs.
    ///
    /// # Safety
    /// The realm must outlive what is made of it. (`Context::with` would keep the runtime borrowed while a fiber
    /// waits and others run.)
    pub(crate) unsafe fn ctx<'js>(&self) -> Ctx<'js> {
        unsafe { Ctx::from_raw(self.context.as_raw()) }
    }

    /// Installs the globals, for the first VU that asks.
    pub(crate) fn equip(&self, ctx: &Ctx) -> Result<()> {
        if self.is_equipped.replace(true) {
            return Ok(());
        }
        globals::install(ctx)?;
        self.shapes.keep_of_functions(ctx)?;
        let of_functions = Function::new(ctx.clone(), || ())?.get_prototype();
        if self.is_shared {
            let guard = Guard::new(ctx)?;
            self.keeper.get_or_init(|| Keeper::Guard(guard));
            self.guard(ctx, &ctx.eval(HIDDEN)?)?;
        } else if of_functions != Some(Function::prototype(ctx.clone())) {
            let adopt: Function = evaluate(ctx, "adopt.js", ADOPT)?.call((of_functions,))?;
            self.keeper.get_or_init(|| Keeper::Adopt(Persistent::save(ctx, adopt)));
        }
        self.guard(ctx, &ctx.globals().into_value())
    }

    /// Makes what the host has made the realm's: no VU leaves anything on what others see.
    pub(crate) fn guard<'js>(&self, ctx: &Ctx<'js>, value: &Value<'js>) -> Result<()> {
        match self.keeper.get() {
            Some(Keeper::Guard(guard)) => guard.protect(ctx, &vu::current().worker, value),
            Some(Keeper::Adopt(adopt)) => adopt.clone().restore(ctx)?.call((value.clone(),)),
            None => Ok(()),
        }
    }
}

/// What is done to host objects.
enum Keeper {
    /// They are made unwritable: VUs share the realm.
    Guard(Guard),
    /// They are made the realm's: realms share their runtime.
    Adopt(Persistent<Function<'static>>),
}

/// The function that a script of the host's is.
pub(crate) fn evaluate<'js>(ctx: &Ctx<'js>, name: &str, text: &str) -> Result<Function<'js>> {
    let mut options = EvalOptions::default();
    options.filename = Some(name.to_owned());
    ctx.eval_with_options(text, options)
}
