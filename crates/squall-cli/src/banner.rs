//! What is printed before a run: the banner and what is about to happen.

use std::time::Duration;

use squall_options::format_go_duration;

/// Said once, above everything.
pub fn banner(colors: bool) -> String {
    let art = format!(
        r"
      ~~~~~~~.
    ~~~~~~~~~ )    s q u a l l
  ~~~~~~~.---'     {}
    ~~~~  )
      '--'
",
        crate::VERSION
    );
    format!("{}\n", cyan(&art, colors))
}

/// What is about to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionDescription {
    /// As the user named it.
    pub script: String,
    /// Descriptions of the outputs, such as `json (samples.json)`.
    pub outputs: Vec<String>,
    /// Part of the test that this process runs, in percent with two digits: `100.00`.
    pub segment_percent: String,
    /// VUs that may exist at the same time.
    pub max_vus: u64,
    /// Until the last graceful stop is over.
    pub max_duration: Duration,
    /// Name and description of each scenario.
    pub scenarios: Vec<(String, String)>,
}

impl ExecutionDescription {
    /// The lines that users of k6 know.
    pub fn render(&self, colors: bool) -> String {
        let outputs = if self.outputs.is_empty() { "-".to_owned() } else { self.outputs.join(", ") };
        let count = self.scenarios.len();
        let scenarios = format!(
            "({}%) {count} {}, {} max VUs, {} max duration (incl. graceful stop):",
            self.segment_percent,
            if count == 1 { "scenario" } else { "scenarios" },
            self.max_vus,
            format_go_duration(self.max_duration),
        );
        let mut text = format!(
            "     execution: {}\n        script: {}\n        output: {}\n\n     scenarios: {}\n",
            cyan("local", colors),
            cyan(&self.script, colors),
            cyan(&outputs, colors),
            cyan(&scenarios, colors),
        );
        for (name, description) in &self.scenarios {
            text.push_str(&format!("              * {name}: {description}\n"));
        }
        text.push('\n');
        text
    }
}

fn cyan(text: &str, colors: bool) -> String {
    if colors { format!("\x1b[36m{text}\x1b[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests;
