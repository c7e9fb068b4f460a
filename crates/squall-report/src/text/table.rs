//! Rows of the text summary and the widths that align them.

/// The cells of a line: a name, then a trend's columns or a value with what explains it.
pub(crate) struct Row {
    pub(crate) name: String,
    /// Width that aligns the dots, an oddity of k6: the lengths of full name and shown name together.
    pub(crate) name_width: usize,
    pub(crate) cells: Cells,
}

pub(crate) enum Cells {
    /// Names and values.
    Trend(Vec<(String, String)>),
    /// The value, and more about it.
    Value(String, Vec<String>),
}

impl Row {
    /// A row with a name that is shown in full.
    pub(crate) fn plain(name: &str, cells: Cells) -> Row {
        Row { name: name.to_owned(), name_width: 2 * name.len(), cells }
    }
}

/// Widths that align rows.
#[derive(Default)]
pub(crate) struct Layout {
    pub(crate) name: usize,
    /// Of a trend's values.
    pub(crate) columns: Vec<usize>,
    pub(crate) value: usize,
    pub(crate) extras: Vec<usize>,
}

impl Layout {
    /// The widths that these rows need.
    pub(crate) fn of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Layout {
        let mut layout = Layout::default();
        for row in rows {
            layout.name = layout.name.max(row.name_width + 3);
            match &row.cells {
                Cells::Trend(columns) => widen(&mut layout.columns, columns.iter().map(|(_, value)| value)),
                Cells::Value(value, extras) => {
                    layout.value = layout.value.max(value.chars().count());
                    widen(&mut layout.extras, extras.iter());
                }
            }
        }
        layout
    }
}

fn widen<'a>(widths: &mut Vec<usize>, cells: impl Iterator<Item = &'a String>) {
    for (index, cell) in cells.enumerate() {
        if index == widths.len() {
            widths.push(0);
        }
        widths[index] = widths[index].max(cell.chars().count());
    }
}
