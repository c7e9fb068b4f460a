//! How many positions Location delivers.
//!
//! `deliveries board`: the core alone, on one thread. `deliveries sockets`: the service and its clients in this process, over
//! loopback. Without a word: both.
//!
//!     cargo run --profile quick -p breakwater --example deliveries -- --help

#![expect(clippy::print_stdout, reason = "it tells what it measured")]

use std::{
    fmt::Write as _,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use breakwater::{
    kit::{config::Settings, metrics::Usage},
    location::board::{Board, Entry, Update},
    service::{Service, System},
};
use clap::{Parser, ValueEnum};
use futures_util::{SinkExt, StreamExt};
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Message, protocol::WebSocketConfig};
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Board,
    Sockets,
    Both,
}

#[derive(Debug, Clone, Parser)]
struct Load {
    #[arg(default_value = "both")]
    what: What,
    #[arg(long, default_value_t = 100)]
    sessions: u64,
    /// Members of each session
    #[arg(long, default_value_t = 50)]
    members: u64,
    /// Updates a second of each member
    #[arg(long, default_value_t = 5.0)]
    rate: f64,
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Threads that serve, and that the clients run on
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// As the service's --location-window-ms
    #[arg(long)]
    window_ms: Option<u64>,
}

fn main() -> Result<()> {
    let load = Load::parse();
    if load.what != What::Sockets {
        board(&load);
    }
    if load.what != What::Board {
        sockets(&load)?;
    }
    Ok(())
}

/// Every member of every session moves, each session steps, every member gets its frame: what there is to do besides
/// reading and writing sockets, as fast as one thread can.
fn board(load: &Load) {
    let mut boards: Vec<_> = (0..load.sessions).map(|_| Board::new(1, 0)).collect();
    let entry = Entry { at: 0, instance: 1, number: 0 };
    let ids: Vec<_> = (0..load.members).map(|number| Uuid::from_u128(number.into())).collect();
    for board in &mut boards {
        for id in &ids {
            board.enter(*id, "\"somebody\"", entry);
        }
        board.step();
    }
    let (begun, cpu) = (Instant::now(), Usage::now().cpu_seconds);
    let (mut deliveries, mut updates, mut bytes) = (0, 0, 0);
    while begun.elapsed().as_secs() < load.seconds.min(5) {
        for board in &mut boards {
            let cursor = board.newest();
            for id in &ids {
                let json = format!(
                    r#"{{"participant":"{id}","lat":46.94809,"lon":7.44744,"accuracy":4.5,"at":1700000000000,"seq":{updates}}}"#
                );
                board.update(*id, entry, Update { json: json.into(), received: begun });
                updates += 1;
            }
            board.step();
            for _ in &ids {
                let frame = board.frame(cursor).expect("everybody has moved");
                deliveries += frame.delivered;
                bytes += frame.positions.map_or(0, |text| text.len());
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let cpu = (Usage::now().cpu_seconds - cpu) / seconds;
    println!(
        "board: {:.0} updates/s, {:.0} deliveries/s, {:.1} GB/s of shared text, {:.2} cores",
        updates as f64 / seconds,
        deliveries as f64 / seconds,
        bytes as f64 / seconds / 1e9,
        cpu
    );
}

/// What the clients have seen.
#[derive(Default)]
struct Seen {
    updates: AtomicU64,
    deliveries: AtomicU64,
    frames: AtomicU64,
    is_over: AtomicBool,
}

fn sockets(load: &Load) -> Result<()> {
    let (serving, asking) = (runtime(load.threads)?, runtime(load.threads)?);
    let mut settings = Settings::default();
    settings.server.listen = ([127, 0, 0, 1], 0).into();
    settings.storage.pool_timeout_ms = 30_000;
    settings.location.location_members = load.members.try_into()?;
    settings.location.location_sessions_per_address = 0;
    if let Some(window_ms) = load.window_ms {
        settings.location.location_window_ms = window_ms;
    }
    let resident = Usage::now().resident_bytes;
    let service = serving.block_on(Service::start(System::Location, settings))?;
    let members = load.sessions * load.members;
    let (seen, address) = (Arc::new(Seen::default()), service.address());
    let report = asking.block_on(async {
        let mut clients = tokio::task::JoinSet::new();
        let begun = Instant::now();
        let start = Arc::new(tokio::sync::Barrier::new(members as usize + 1));
        for session in 0..load.sessions {
            let (load, seen, start) = (load.clone(), seen.clone(), start.clone());
            let doors = doors(address, session, load.members).await?;
            for (number, door) in doors.into_iter().enumerate() {
                let (load, seen, start) = (load.clone(), seen.clone(), start.clone());
                clients.spawn(async move { client(address, &door, number, &load, &seen, &start).await });
            }
        }
        start.wait().await;
        let kb = (Usage::now().resident_bytes.saturating_sub(resident)) / 1024;
        println!(
            "sockets: {members} members of {} sessions joined and connected in {:.1} s; {:.1} KB of memory each, clients included",
            load.sessions,
            begun.elapsed().as_secs_f64(),
            kb as f64 / members as f64
        );
        // The first second is for getting going.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let figures = || {
            (seen.updates.load(Relaxed), seen.deliveries.load(Relaxed), seen.frames.load(Relaxed), Usage::now())
        };
        let (updates, deliveries, frames, usage) = figures();
        let since = Instant::now();
        tokio::time::sleep(Duration::from_secs(load.seconds)).await;
        let seconds = since.elapsed().as_secs_f64();
        let (updates_now, deliveries_now, frames_now, usage_now) = figures();
        seen.is_over.store(true, Relaxed);
        let a_second = |now: u64, then: u64| (now - then) as f64 / seconds;
        let mut delays = Vec::new();
        while let Some(client) = clients.join_next().await {
            delays.extend(client??);
        }
        delays.sort_unstable();
        let quantile = |q: f64| delays.get(((delays.len() as f64 - 1.0) * q) as usize).copied().unwrap_or(0);
        let mut report = String::new();
        writeln!(
            report,
            "sockets: {:.0} updates/s, {:.0} deliveries/s in {:.0} frames/s; {:.2} cores, clients included",
            a_second(updates_now, updates),
            a_second(deliveries_now, deliveries),
            a_second(frames_now, frames),
            (usage_now.cpu_seconds - usage.cpu_seconds) / seconds
        )?;
        writeln!(
            report,
            "sockets: delay from sending a position to its being read by each member: p50 {} ms, p95 {} ms, p99 {} ms, \
             max {} ms ({} deliveries looked at)",
            quantile(0.5),
            quantile(0.95),
            quantile(0.99),
            quantile(1.0),
            delays.len()
        )?;
        Ok::<_, anyhow::Error>(report)
    })?;
    print!("{report}");
    let metrics = service.kit().metrics.text();
    for name in ["updates", "deliveries", "skipped", "refused"] {
        let series = format!("breakwater_location_{name}_total ");
        let value = metrics.lines().find_map(|line| line.strip_prefix(&series)).unwrap_or("none");
        println!("service: {value} {name}");
    }
    serving.block_on(service.stop());
    Ok(())
}

/// The service's runtime at work in threads of its own.
fn runtime(threads: usize) -> Result<tokio::runtime::Handle> {
    let runtime = breakwater::service::runtime(threads).enable_all().build()?;
    let handle = runtime.handle().clone();
    // It ends with the process.
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    Ok(handle)
}

/// Makes a session and joins it; gives the paths of the sockets.
async fn doors(address: SocketAddr, session: u64, members: u64) -> Result<Vec<String>> {
    let stream = TcpStream::connect(address).await?;
    let (mut api, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut post = async |path: String, body: String| -> Result<Value> {
        let request = Request::post(path)
            .header(header::HOST, address.to_string())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::<bytes::Bytes>::from(body))?;
        api.ready().await?;
        let answer = api.send_request(request).await?.into_body().collect().await?.to_bytes();
        Ok(serde_json::from_slice(&answer)?)
    };
    let created = post("/api/v1/sessions".to_owned(), format!(r#"{{"name":"session {session}"}}"#)).await?;
    let path = format!("/api/v1/sessions/{}", created["id"].as_str().context("an id")?);
    let mut doors = Vec::new();
    for member in 0..members {
        let joined = post(format!("{path}/join"), format!(r#"{{"name":"member {member}"}}"#)).await?;
        doors.push(format!("{path}/ws?token={}", joined["token"].as_str().context("a token")?));
    }
    Ok(doors)
}

/// Moves at the rate and reads; gives delays in milliseconds. One member in ten looks into what it reads, the others only
/// count: looking costs more than serving.
async fn client(
    address: SocketAddr,
    door: &str,
    number: usize,
    load: &Load,
    seen: &Seen,
    start: &tokio::sync::Barrier,
) -> Result<Vec<u32>> {
    let small = WebSocketConfig::default().read_buffer_size(8 << 10).write_buffer_size(0);
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let url = format!("ws://{address}{door}");
    let (mut socket, _) = tokio_tungstenite::client_async_with_config(url, stream, Some(small)).await?;
    start.wait().await;
    let period = Duration::from_secs_f64(1.0 / load.rate);
    let first = tokio::time::Instant::now() + period.mul_f64(rand::random());
    let mut tick = tokio::time::interval_at(first, period);
    let mut delays = Vec::new();
    let mut seq = 0_u64;
    while !seen.is_over.load(Relaxed) {
        tokio::select! {
            _ = tick.tick() => {
                seq += 1;
                let text = format!(
                    r#"{{"type":"position","lat":46.94809,"lon":7.44744,"accuracy":4.5,"at":{},"seq":{seq}}}"#,
                    jiff::Timestamp::now().as_millisecond()
                );
                socket.send(Message::text(text)).await?;
                seen.updates.fetch_add(1, Relaxed);
            }
            received = socket.next() => {
                let Message::Text(text) = received.context("the service closed")?? else { continue };
                if !text.starts_with(r#"{"type":"positions""#) {
                    continue;
                }
                let now = jiff::Timestamp::now().as_millisecond();
                let mut count = 0_u64;
                if number.is_multiple_of(10) {
                    for position in text.split(r#""at":"#).skip(1) {
                        count += 1;
                        let at: i64 = position[..13].parse().context("an instant")?;
                        delays.push(u32::try_from(now - at).unwrap_or(0));
                    }
                } else {
                    count = text.matches(r#""at":"#).count() as u64;
                }
                seen.frames.fetch_add(1, Relaxed);
                seen.deliveries.fetch_add(count, Relaxed);
            }
        }
    }
    Ok(delays)
}
