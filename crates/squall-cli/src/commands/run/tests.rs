//! What a run is told, gathered from everywhere.

use super::*;
use crate::{
    args::{Command, Invocation, parse},
    testing::Sandbox,
};

fn gather(sandbox: &Sandbox, flags: &str) -> RunPlan {
    let mut process = sandbox.process(&format!("run {flags}")).0;
    let Ok(Invocation::Command(cli)) = parse(&process) else { panic!("bad flags: {flags}") };
    let Command::Run(args) = cli.command else { panic!("not a run: {flags}") };
    let script = ScriptSource::from_argument(&args.script, &mut process).expect("a script");
    RunPlan::gather(&cli.global, &args.flags, script, &process).expect("a good plan")
}

#[test]
fn a_dash_is_standard_input() {
    let plan = gather(&Sandbox::new().stdin("export default () => {}"), "-");
    let source = "export default () => {}".into();
    assert_eq!(plan.script, ScriptSource::Text { name: "-".into(), source });
    assert_eq!(gather(&Sandbox::new(), "a.js").script.name(), "a.js");
}

#[test]
fn every_layer_is_kept_apart() {
    let sandbox = Sandbox::new().file("c.json", r#"{"vus":1,"rps":9}"#).env("K6_VUS", "2");
    let plan = gather(&sandbox, "-c c.json -u 3 a.js");
    assert_eq!((plan.config.options.vus, plan.config.options.rps), (Some(1), Some(9)));
    assert_eq!((plan.env_options.vus, plan.env_options.rps), (Some(2), None));
    assert_eq!((plan.flag_options.vus, plan.flag_options.rps), (Some(3), None));
}

#[test]
fn outputs_come_from_the_highest_layer_that_has_some() {
    let sandbox = Sandbox::new().file("c.json", r#"{"out":"json=1","linger":true}"#);
    let plan = gather(&sandbox, "-c c.json a.js");
    assert_eq!((plan.outs, plan.linger), (vec!["json=1".to_owned()], true));
    let sandbox = sandbox.env("K6_OUT", "json=2,csv").env("K6_LINGER", "false");
    let plan = gather(&sandbox, "-c c.json a.js");
    assert_eq!((plan.outs, plan.linger), (vec!["json=2".to_owned(), "csv".to_owned()], false));
    assert_eq!(gather(&sandbox, "-c c.json -o json=3 a.js").outs, ["json=3"]);
}
