// SPDX-License-Identifier: Apache-2.0
//! The loops with RustStream: a framework's handlers instead of a client's.
mod bench;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, OnceLock};

use async_nats::jetstream::{self, stream::StorageType};
use bench::{Arguments, Measurement, Order, say_ready};
use ruststream_nats::prelude::*;

type Failure = Box<dyn std::error::Error + Send + Sync>;

static HANDLED: AtomicUsize = AtomicUsize::new(0);
static WANTED: AtomicUsize = AtomicUsize::new(0);
static BEGIN: OnceLock<Measurement> = OnceLock::new();
static FINISHED: LazyLock<tokio::sync::Notify> = LazyLock::new(tokio::sync::Notify::new);

/// A body as it came.
#[derive(Deserialized)]
struct Body<'a>(&'a [u8]);

fn count() {
    BEGIN.get_or_init(Measurement::begin);
    if HANDLED.fetch_add(1, Ordering::Relaxed) + 1 == WANTED.load(Ordering::Relaxed) {
        FINISHED.notify_one();
    }
}

#[subscriber("bench.x")]
async fn on_bytes(body: &Body<'_>) -> HandlerOutcome {
    std::hint::black_box(body.0.len());
    count();
    HandlerOutcome::ack()
}

#[subscriber("bench.x")]
async fn on_order(order: &Order) -> HandlerOutcome {
    std::hint::black_box(order.lines.len());
    count();
    HandlerOutcome::ack()
}

#[subscriber(JetStreamSubject::new("bench.js.x", "BENCH").durable("bench").max_ack_pending(100_000))]
async fn on_stored(body: &Body<'_>) -> HandlerOutcome {
    std::hint::black_box(body.0.len());
    count();
    HandlerOutcome::ack()
}

async fn fill_stream(arguments: &Arguments) -> Result<(), Failure> {
    let client = async_nats::connect(arguments.url()).await?;
    let context = jetstream::new(client.clone());
    let _ = context.delete_stream("BENCH").await;
    let config = jetstream::stream::Config {
        name: "BENCH".into(),
        subjects: vec!["bench.js.>".into()],
        storage: StorageType::Memory,
        ..Default::default()
    };
    let mut stream = context.create_stream(config).await?;
    let body = bytes::Bytes::from(arguments.body());
    for _ in 0..arguments.count() {
        client.publish("bench.js.x", body.clone()).await?;
    }
    client.flush().await?;
    while stream.info().await?.state.messages < arguments.count() as u64 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let info = || AppInfo::new("bench", "0.0.0");
    WANTED.store(arguments.count(), Ordering::Relaxed);
    // As in the loops of async-nats: else what waits beyond 65,536 messages is dropped.
    let options = async_nats::ConnectOptions::new().subscription_capacity(1 << 20);
    let broker = NatsBroker::new(arguments.url()).with_options(options);
    let json = arguments.text("lane", "bytes") != "bytes";
    let running = match arguments.program.as_str() {
        "deliver" if json => RustStream::new(info()).with_broker(broker, |b| { b.include(on_order); }).start().await?,
        "deliver" => RustStream::new(info()).with_broker(broker, |b| { b.include(on_bytes); }).start().await?,
        "js_pull" => {
            fill_stream(&arguments).await?;
            say_ready();
            BEGIN.get_or_init(Measurement::begin);
            RustStream::new(info()).with_broker(broker, |b| { b.include(on_stored); }).start().await?
        }
        other => return Err(format!("no such program: {other}").into()),
    };
    if arguments.program == "deliver" {
        let client = async_nats::connect(arguments.url()).await?;
        client.flush().await?;
        say_ready();
    }
    FINISHED.notified().await;
    BEGIN.get().ok_or("no message")?.report(arguments.count(), vec![]);
    drop(running);
    Ok(())
}
