use rquickjs::{
    Coerced, Ctx, Result, Value,
    function::{Constructor, Opt},
};

use super::{SharedArrays, array_index, prototype, shared_array};
use crate::testing::evaluate;

fn install(ctx: &Ctx) -> Result<()> {
    fn constructor<'js>(ctx: &Ctx<'js>) -> Result<Constructor<'js>> {
        let arrays = SharedArrays::default();
        let make = move |ctx: Ctx<'js>, name: Opt<Coerced<String>>, make: Opt<Value<'js>>| {
            shared_array(&ctx, &arrays, name, make)
        };
        Constructor::new_prototype(ctx, prototype(ctx)?, make)
    }
    ctx.globals().set("SharedArray", constructor(ctx)?)?;
    ctx.eval("'use strict'; globalThis.users = new SharedArray('users', () => [{ name: 'a', tags: ['x', {}] }, 2, 'three'])")
}

#[track_caller]
fn check(script: &str, expected: &str) {
    assert_eq!(evaluate(install, &format!("'use strict'; {script}")), expected);
}

#[test]
fn elements() {
    check(
        "[users.length, users[0], users[2], users[3] === undefined, users['01'] === undefined]",
        r#"[3,{"name":"a","tags":["x",{}]},"three",true,true]"#,
    );
    check("users", r#"[{"name":"a","tags":["x",{}]},2,"three"]"#);
    check("users[0] === users[0]", "false");
    check("new SharedArray('dates', () => [new Date(0), NaN])", r#"["1970-01-01T00:00:00.000Z",null]"#);
    check(r"new SharedArray('halves', () => ['\ud83d'])[0] === '\ud83d'", "true");
}

#[test]
fn it_is_an_array() {
    check("[Array.isArray(users), users instanceof Array, users instanceof SharedArray]", "[true,true,true]");
    check("[0 in users, 3 in users, 'length' in users, 'map' in users]", "[true,false,true,true]");
    check("[Object.keys(users), Object.getOwnPropertyNames(users).length]", r#"[["0","1","2"],4]"#);
    check(
        "[users.map((user) => typeof user), users.slice(1), users.indexOf(2), users.concat([4]).length]",
        r#"[["object","number","string"],[2,"three"],1,4]"#,
    );
    check(
        "const [first, ...others] = users; [first.name, others, [...users].length, users.map((user) => user).constructor === Array]",
        r#"["a",[2,"three"],3,true]"#,
    );
    check(
        "let text = ''; for (const index in users) text += index; for (const user of users) text += typeof user; text",
        r#""012objectnumberstring""#,
    );
    check(
        "[Object.getOwnPropertyDescriptor(users, 1), Object.getOwnPropertyDescriptor(users, 'length')]",
        r#"[{"value":2,"writable":true,"enumerable":true,"configurable":true},{"value":3,"writable":true,"enumerable":false,"configurable":false}]"#,
    );
}

#[test]
fn nothing_can_be_changed() {
    for write in [
        "users[0] = 1",
        "users.length = 0",
        "users.other = 1",
        "delete users[0]",
        "Object.defineProperty(users, 0, { value: 1 })",
        "Object.freeze(users)",
        "users.push(1)",
        "users.sort()",
    ] {
        check(write, "TypeError: SharedArray is immutable");
    }
    check("users[0].name = 'b'", "TypeError: 'name' is read-only");
    check("users[0].tags.push('y')", "TypeError: object is not extensible");
    check("users[0].tags[1].z = 1", "TypeError: object is not extensible");
    check("delete users[9]", "true");
}

#[test]
fn made_once() {
    check("new SharedArray('users', () => { throw new Error('again'); }).length", "3");
    check(
        "try { new SharedArray('x', () => { throw new TypeError('no'); }); } catch {} new SharedArray('x', () => [1])",
        "[1]",
    );
}

#[test]
fn what_json_cannot_say_throws_when_read() {
    check("new SharedArray('x', () => [undefined, 1])[1]", "1");
    check("new SharedArray('x', () => [() => 1])[0]", "SyntaxError: unexpected token: 'undefined'");
}

#[test]
fn what_is_no_array() {
    check("new SharedArray('', () => [])", "GoError: SharedArray needs a name: the first argument is empty");
    check("new SharedArray('x')", "GoError: SharedArray needs a function as its second argument");
    check("new SharedArray('x', async () => [])", "GoError: SharedArray does not take async functions");
    check("new SharedArray('x', () => ({}))", "GoError: SharedArray's function must return an array");
    check("new SharedArray('x', () => { throw new RangeError('mine'); })", "RangeError: mine");
}

#[test]
fn names_that_are_indices() {
    for (name, index) in
        [("0", Some(0)), ("10", Some(10)), ("01", None), ("", None), ("-1", None), ("1e3", None)]
    {
        assert_eq!(array_index(name.as_bytes()), index, "{name}");
    }
    assert_eq!(array_index(b"99999999999999999999999"), None);
}
