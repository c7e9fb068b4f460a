//! What a keep-alive GET costs: `keep_alive URL REQUESTS` prints CPU time and elapsed time a request.

#![allow(clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;

use squall_http::{Client, ClientConfig, Connections, Method, Request};
use squall_net::{Dialer, NetConfig};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let url: url::Url = arguments.next().ok_or("usage: keep_alive URL REQUESTS")?.parse()?;
    let requests: u32 = arguments.next().map_or(Ok(100_000), |count| count.parse())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let client = Client::new(Arc::new(Dialer::new(NetConfig::default())?), ClientConfig::default());
        let connections = Connections::new(1);
        let request = Request::new(Method::GET, url);
        let (started, cpu_before_us) = (Instant::now(), cpu_us());
        for _ in 0..requests {
            let response = client.send(&connections, &request, &mut |_| {}).await;
            if let Some(error) = response.exchange.error {
                return Err(Box::<dyn std::error::Error>::from(error));
            }
        }
        let requests = f64::from(requests);
        let cpu_us = (cpu_us() - cpu_before_us) / requests;
        let elapsed_us = started.elapsed().as_secs_f64() * 1e6 / requests;
        println!("{cpu_us:.2} µs CPU, {elapsed_us:.2} µs elapsed a request");
        Ok(())
    })
}

/// User and system time of this process.
fn cpu_us() -> f64 {
    // SAFETY: all zeros is a valid rusage, and getrusage only writes to it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let us = |time: libc::timeval| time.tv_sec as f64 * 1e6 + time.tv_usec as f64;
    us(usage.ru_utime) + us(usage.ru_stime)
}
