// SPDX-License-Identifier: Apache-2.0
//! The loops with async-nats, as its documentation shows them.
mod bench;

use std::time::{Duration, Instant};

use async_nats::jetstream::{self, consumer::pull, stream::StorageType};
use bench::{Arguments, Measurement, Order, say_ready};
use futures::{StreamExt, stream::FuturesUnordered};

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn deliver(arguments: &Arguments) -> Result<(), Failure> {
    let options = async_nats::ConnectOptions::new().subscription_capacity(1 << 20);
    let client = options.connect(arguments.url()).await?;
    let json = arguments.text("lane", "bytes") != "bytes";
    let mut subscription = client.subscribe("bench.x").await?;
    client.flush().await?;
    say_ready();
    let mut measurement = None;
    let mut seen = 0;
    for _ in 0..arguments.count() {
        let message = subscription.next().await.ok_or("the subscription ended")?;
        measurement.get_or_insert_with(Measurement::begin);
        seen += if json {
            serde_json::from_slice::<Order>(&message.payload)?.lines.len()
        } else {
            message.payload.len()
        };
    }
    std::hint::black_box(seen);
    measurement.ok_or("no message")?.report(arguments.count(), vec![]);
    Ok(())
}

async fn rpc_service(arguments: &Arguments) -> Result<(), Failure> {
    let client = async_nats::connect(arguments.url()).await?;
    let mut requests = client.subscribe("bench.rpc").await?;
    client.flush().await?;
    say_ready();
    while let Some(request) = requests.next().await {
        if let Some(reply) = request.reply {
            client.publish(reply, request.payload).await?;
        }
    }
    Ok(())
}

async fn rpc(arguments: &Arguments) -> Result<(), Failure> {
    let options = async_nats::ConnectOptions::new().request_timeout(Some(Duration::from_secs(30)));
    let client = options.connect(arguments.url()).await?;
    let body = bytes::Bytes::from(arguments.body());
    client.request("bench.rpc", body.clone()).await?;
    let outstanding = arguments.number("outstanding", 1);
    let each = arguments.count() / outstanding;
    say_ready();
    let measurement = Measurement::begin();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..outstanding {
        let (client, body) = (client.clone(), body.clone());
        tasks.spawn(async move {
            let mut latencies = Vec::with_capacity(each);
            for _ in 0..each {
                let begin = Instant::now();
                client.request("bench.rpc", body.clone()).await?;
                latencies.push(begin.elapsed());
            }
            Ok::<_, Failure>(latencies)
        });
    }
    let mut latencies = vec![];
    while let Some(task) = tasks.join_next().await {
        latencies.extend(task??);
    }
    measurement.report(latencies.len(), latencies);
    Ok(())
}

async fn renew_stream(context: &jetstream::Context) -> Result<jetstream::stream::Stream, Failure> {
    let _ = context.delete_stream("BENCH").await;
    Ok(context
        .create_stream(jetstream::stream::Config {
            name: "BENCH".into(),
            subjects: vec!["bench.js.>".into()],
            storage: StorageType::Memory,
            ..Default::default()
        })
        .await?)
}

async fn publish_all(context: &jetstream::Context, arguments: &Arguments) -> Result<(), Failure> {
    let window = arguments.number("outstanding", 4096);
    let body = bytes::Bytes::from(arguments.body());
    let mut acks = FuturesUnordered::new();
    for _ in 0..arguments.count() {
        if acks.len() == window {
            acks.next().await.ok_or("no ack")??;
        }
        acks.push(context.publish("bench.js.x", body.clone()).await?.into_future());
    }
    while let Some(ack) = acks.next().await {
        ack?;
    }
    Ok(())
}

async fn js_publish(arguments: &Arguments) -> Result<(), Failure> {
    let client = async_nats::connect(arguments.url()).await?;
    let context = jetstream::ContextBuilder::new().max_ack_inflight(8192).build(client);
    renew_stream(&context).await?;
    say_ready();
    let measurement = Measurement::begin();
    publish_all(&context, arguments).await?;
    measurement.report(arguments.count(), vec![]);
    Ok(())
}

async fn js_pull(arguments: &Arguments) -> Result<(), Failure> {
    let client = async_nats::connect(arguments.url()).await?;
    let context = jetstream::ContextBuilder::new().max_ack_inflight(8192).build(client.clone());
    let stream = renew_stream(&context).await?;
    publish_all(&context, arguments).await?;
    say_ready();
    let measurement = Measurement::begin();
    let consumer = stream
        .create_consumer(pull::Config {
            durable_name: Some("bench".into()),
            max_ack_pending: -1,
            ..Default::default()
        })
        .await?;
    let mut messages = consumer.stream().max_messages_per_batch(1000).messages().await?;
    for _ in 0..arguments.count() {
        messages.next().await.ok_or("the consumer ended")??.ack().await?;
    }
    client.flush().await?;
    measurement.report(arguments.count(), vec![]);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    match arguments.program.as_str() {
        "deliver" => deliver(&arguments).await,
        "rpc_service" => rpc_service(&arguments).await,
        "rpc" => rpc(&arguments).await,
        "js_publish" => js_publish(&arguments).await,
        "js_pull" => js_pull(&arguments).await,
        other => Err(format!("no such program: {other}").into()),
    }
}
