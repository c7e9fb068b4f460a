//! Data that VUs share, and the web's globals, in real VUs.

use crate::harness::run;

#[test]
fn a_shared_array_is_made_once_for_all_vus() {
    run(r#"
        import { SharedArray } from 'k6/data';
        const users = new SharedArray('users', () => { console.log('made'); return [{ name: 'a' }, { name: 'b' }]; });
        export const options = { vus: 3, iterations: 3 };
        export default function () { console.log(users.map((user) => user.name).join()); }
    "#)
    .check_log(&["info made", "info a,b", "info a,b", "info a,b"]);
}

#[test]
fn shared_arrays_are_made_in_init_only() {
    run(r#"
        import { SharedArray } from 'k6/data';
        export default function () {
            try { new SharedArray('late', () => []); } catch (error) { console.log(`${error}`); }
        }
    "#)
    .check_log(&["info GoError: new SharedArray must be called in the init context"]);
}

#[test]
fn web_globals_are_there() {
    run(r#"
        export default function () {
            console.log(`${new URLSearchParams({ q: 'a b' })}`, new URL('http://a/?x=1').searchParams instanceof URLSearchParams);
            console.log(atob(btoa('text')), new TextDecoder().decode(new TextEncoder().encode('é')));
            console.log(structuredClone({ a: [1] }).a[0], crypto.randomUUID().length);
        }
    "#)
    .check_log(&["info q=a+b true", "info text é", "info 1 36"]);
}

#[test]
fn scripts_may_bring_globals_of_their_own() {
    run(r#"
        globalThis.URLSearchParams = class Mine {};
        new URL('http://a');
        export default function () { console.log(URLSearchParams.name); }
    "#)
    .check_log(&["info Mine"]);
}

#[test]
fn subtle_answers_with_promises() {
    run(r#"
        export default async function () {
            const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode('abc'));
            console.log(hash.byteLength);
            try { await crypto.subtle.wrapKey(); } catch (error) { console.log(error.name); }
        }
    "#)
    .check_log(&["info 32", "info NotSupportedError"]);
}

#[test]
fn a_structure_too_deep_to_clone_is_an_exception() {
    run(r#"
        export default function () {
            let deep = {};
            for (let i = 0; i < 1e5; i += 1) deep = { deep };
            try { structuredClone(deep); } catch (error) { console.log(error.name); }
        }
    "#)
    .check_log(&["info RangeError"]);
}
