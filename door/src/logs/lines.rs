use std::io::Write as _;

use serde_json::Value;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::allowed::Allowed;
use super::line::Line;
use super::{LogFormat, is_ours};

/// What stands in for a message of a dependency.
const FOREIGN: &str = "event of a dependency";

/// Writes one line an event, with the fields of the spans around it.
pub(super) struct Lines<W> {
    format: LogFormat,
    writer: W,
}

impl<W> Lines<W> {
    pub(super) fn new(format: LogFormat, writer: W) -> Self {
        Self { format, writer }
    }
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Allowed::default();
        if is_ours(attributes.metadata().target()) {
            attributes.record(&mut fields);
        }
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if !is_ours(span.metadata().target()) {
            return;
        }
        if let Some(fields) = span.extensions_mut().get_mut::<Allowed>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut fields = fields_of_spans(event, &context);
        if is_ours(metadata.target()) {
            event.record(&mut fields);
        } else {
            // Where in the dependency it comes from helps, and is constant.
            fields.set("message", Value::from(FOREIGN));
            fields.set("line", Value::from(metadata.line()));
        }
        let line = Line { level: *metadata.level(), target: metadata.target(), fields: &fields.0 };
        // Logging goes on when standard error is closed.
        let _ =
            self.writer.make_writer_for(metadata).write_all(line.render(self.format).as_bytes());
    }
}

fn fields_of_spans<S>(event: &Event<'_>, context: &Context<'_, S>) -> Allowed
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let mut fields = Allowed::default();
    let spans = context.event_scope(event);
    for span in spans.into_iter().flat_map(|spans| spans.from_root()) {
        if let Some(of_span) = span.extensions().get::<Allowed>() {
            for (name, value) in &of_span.0 {
                fields.set(name, value.clone());
            }
        }
    }
    fields
}
