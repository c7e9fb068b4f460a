//! Logs and traces.
//!
//! Spans of requests exist only when somebody collects them: they cost more than a small request.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use axum::extract::{MatchedPath, Request};
use clap::{Args, ValueEnum};
use tracing::Span;
use tracing_subscriber::{EnvFilter, Layer as _, layer::SubscriberExt, util::SubscriberInitExt};

use super::http::RequestId;

/// Where logs and traces go.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logs and traces")]
pub struct TraceSettings {
    /// What is logged: error, warn, info, debug, trace, or by module, such as info,breakwater::birthday=debug
    #[arg(long, env = "BREAKWATER_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
    /// How a line of the log looks
    #[arg(long, env = "BREAKWATER_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// Send traces to this OpenTelemetry collector (OTLP over gRPC), such as http://127.0.0.1:4317
    #[arg(long, env = "BREAKWATER_TRACES", value_name = "URL")]
    pub traces: Option<String>,
    /// The share of requests that are traced when the client does not say, from 0 to 1
    #[arg(long, env = "BREAKWATER_TRACES_SHARE", value_name = "SHARE", default_value_t = 1.0)]
    pub traces_share: f64,
}
super::config::defaults_of_flags!(TraceSettings);

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

/// Why there is no log or no trace.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    #[error("--log {filter}: {source}")]
    Filter { filter: String, source: tracing_subscriber::filter::ParseError },
    #[error("--traces {url}: {reason}")]
    Exporter { url: String, reason: String },
}

static COLLECTED: AtomicBool = AtomicBool::new(false);

/// Ends the traces: what is not sent yet is sent when it is dropped.
#[must_use = "traces end when it is dropped"]
pub struct Tracing {
    #[cfg(feature = "servers")]
    provider: Option<opentelemetry_sdk::trace::SdkTracerProvider>,
}

/// Begins to log to the standard error, and to send traces when a collector is given. Once a process.
pub fn start(settings: &TraceSettings, service: &'static str) -> Result<Tracing, TraceError> {
    let filter = EnvFilter::try_new(&settings.log)
        .map_err(|source| TraceError::Filter { filter: settings.log.clone(), source })?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match settings.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    let registry = tracing_subscriber::registry().with(lines.with_filter(filter));
    #[cfg(feature = "servers")]
    {
        let provider =
            settings.traces.as_deref().map(|url| export::provider(url, settings, service)).transpose()?;
        let spans = provider.as_ref().map(|provider| export::layer(provider, service));
        COLLECTED.store(provider.is_some(), Relaxed);
        registry.with(spans).init();
        Ok(Tracing { provider })
    }
    #[cfg(not(feature = "servers"))]
    {
        let _ = service;
        registry.init();
        match &settings.traces {
            Some(url) => {
                Err(TraceError::Exporter { url: url.clone(), reason: "built without it".to_owned() })
            }
            None => Ok(Tracing {}),
        }
    }
}

impl Drop for Tracing {
    fn drop(&mut self) {
        #[cfg(feature = "servers")]
        if let Some(Err(error)) = self.provider.take().map(|provider| provider.shutdown()) {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// The span of a request, part of the client's trace when it names one in `traceparent`.
pub(super) fn request_span(request: &Request, path: Option<&MatchedPath>, id: &RequestId) -> Option<Span> {
    if !COLLECTED.load(Relaxed) {
        return None;
    }
    let path = path.map_or("none", MatchedPath::as_str);
    let span = tracing::info_span!(
        "request",
        otel.name = format!("{} {path}", request.method()),
        otel.kind = "server",
        http.request.method = %request.method(),
        http.route = path,
        request_id = id.0.to_str().unwrap_or_default(),
    );
    #[cfg(feature = "servers")]
    export::continue_trace(&span, request.headers());
    Some(span)
}

#[cfg(feature = "servers")]
mod export {
    //! Spans to a collector.

    use http::HeaderMap;
    use opentelemetry::{propagation::Extractor, propagation::TextMapPropagator, trace::TracerProvider};
    use opentelemetry_otlp::{SpanExporter, WithExportConfig};
    use opentelemetry_sdk::{
        Resource,
        propagation::TraceContextPropagator,
        trace::{Sampler, SdkTracer, SdkTracerProvider},
    };
    use tracing::{Span, Subscriber, level_filters::LevelFilter};
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    use tracing_subscriber::{Layer, registry::LookupSpan};

    use super::{TraceError, TraceSettings};

    pub(super) fn provider(
        url: &str,
        settings: &TraceSettings,
        service: &'static str,
    ) -> Result<SdkTracerProvider, TraceError> {
        let failed = |reason: String| TraceError::Exporter { url: url.to_owned(), reason };
        if !(0.0..=1.0).contains(&settings.traces_share) {
            return Err(failed(format!("--traces-share {} is not between 0 and 1", settings.traces_share)));
        }
        let exporter = SpanExporter::builder().with_tonic().with_endpoint(url).build();
        let exporter = exporter.map_err(|error| failed(error.to_string()))?;
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.traces_share)));
        let resource = Resource::builder().with_service_name(format!("breakwater-{service}")).build();
        let provider = SdkTracerProvider::builder().with_sampler(sampler).with_resource(resource);
        Ok(provider.with_batch_exporter(exporter).build())
    }

    pub(super) fn layer<S>(provider: &SdkTracerProvider, service: &'static str) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let layer: tracing_opentelemetry::OpenTelemetryLayer<S, SdkTracer> =
            tracing_opentelemetry::layer().with_tracer(provider.tracer(service));
        layer.with_filter(LevelFilter::INFO)
    }

    pub(super) fn continue_trace(span: &Span, headers: &HeaderMap) {
        let parent = TraceContextPropagator::new().extract(&Headers(headers));
        // Fails only for a span that nobody records.
        let _ = span.set_parent(parent);
    }

    struct Headers<'a>(&'a HeaderMap);

    impl Extractor for Headers<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            self.0.get(key)?.to_str().ok()
        }

        fn keys(&self) -> Vec<&str> {
            self.0.keys().map(http::HeaderName::as_str).collect()
        }
    }
}
