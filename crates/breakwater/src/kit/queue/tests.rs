//! What every queue promises, asked of the one in memory (virtual time) and, when BREAKWATER_TEST_AMQP names one, of RabbitMQ.

#[cfg(feature = "servers")]
mod broker;
mod rates;

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::time::{Instant, sleep, timeout};

use super::{
    BOUND, Consumer, DELIVERY_LIMIT, DeadLetter, Delivery, Depth, Outgoing, Queue, QueueError, TOO_OFTEN,
};

/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(20);

/// A queue that only this test knows.
struct Place {
    queue: Queue,
    name: String,
}

impl Place {
    async fn memory(bound: u64) -> Self {
        Self::at("memory:", bound).await
    }

    async fn at(url: &str, bound: u64) -> Self {
        let queue = Queue::connect_bounded(url, bound).await.unwrap();
        Self { queue, name: format!("test.{}", uuid::Uuid::now_v7()) }
    }

    async fn publish(&self, messages: &[Outgoing]) -> Result<(), QueueError> {
        self.queue.publish(&self.name, messages).await
    }

    async fn consume(&self, prefetch: u16) -> Consumer {
        self.queue.consume(&self.name, prefetch).await.unwrap()
    }

    /// Waits until the queue is as `expected`: a broker counts a moment after it has answered.
    async fn until(&self, expected: impl Fn(&Depth) -> bool) -> Depth {
        let start = Instant::now();
        loop {
            let depth = self.queue.depth(&self.name).await.unwrap();
            if expected(&depth) {
                return depth;
            }
            assert!(start.elapsed() < LONG, "the queue stays at {depth:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

fn messages(ids: std::ops::Range<u32>) -> Vec<Outgoing> {
    ids.map(|id| Outgoing { id: format!("message-{id}"), body: Bytes::from(format!("body of {id}")) })
        .collect()
}

async fn next(consumer: &mut Consumer) -> Delivery {
    timeout(LONG, consumer.next()).await.expect("a message in time").expect("the queue is open")
}

/// That no message comes: in memory for as long as one likes, from a broker for a while.
async fn nothing(consumer: &mut Consumer) {
    let unexpected = timeout(Duration::from_millis(300), consumer.next()).await;
    assert!(unexpected.is_err(), "a message came");
}

/// A test for each of the places.
macro_rules! promises {
    ($($name:ident $(bound $bound:expr)?;)*) => {
        mod memory {
            $(#[tokio::test(start_paused = true)]
            async fn $name() {
                #[allow(unused_variables, reason = "the default")]
                let bound = super::BOUND;
                $(let bound = $bound;)?
                super::$name(&super::Place::memory(bound).await).await;
            })*
        }

        #[cfg(feature = "servers")]
        mod rabbit {
            $(#[tokio::test]
            #[ignore = "needs RabbitMQ: BREAKWATER_TEST_AMQP"]
            async fn $name() {
                #[allow(unused_variables, reason = "the default")]
                let bound = super::BOUND;
                $(let bound = $bound;)?
                let place = super::broker::place(bound).await;
                super::$name(&place).await;
                super::broker::remove(&place.name).await;
            })*
        }
    };
}

promises! {
    acknowledged_messages_are_gone;
    a_dropped_consumer_gives_its_messages_back;
    a_dropped_delivery_comes_again;
    a_retry_comes_later_as_the_next_attempt;
    the_shorter_delay_comes_first;
    dead_letters_tell_why;
    no_more_than_the_prefetch_is_in_hand;
    a_full_queue_refuses bound 10;
    what_kills_its_consumers_is_dead_in_the_end;
    a_closed_queue_ends_its_consumers;
    giving_up_waiting_loses_nothing;
    two_consumers_share_the_work;
    an_id_that_is_too_long_is_refused;
}

async fn acknowledged_messages_are_gone(place: &Place) {
    let sent = messages(0..2500);
    place.publish(&sent).await.unwrap();
    place.until(|depth| depth.ready == 2500).await;
    let mut consumer = place.consume(100).await;
    let mut received = BTreeSet::new();
    for _ in 0..2500 {
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.attempt, 1);
        assert_eq!(delivery.body, delivery.id.replace("message-", "body of "));
        received.insert(delivery.id.clone());
        delivery.ack().await.unwrap();
    }
    assert_eq!(received, sent.into_iter().map(|message| message.id).collect());
    drop(consumer);
    let depth = place.until(|depth| depth.ready == 0).await;
    assert_eq!((depth.delayed, depth.in_progress.unwrap_or(0), depth.dead), (0, 0, 0));
}

async fn a_dropped_consumer_gives_its_messages_back(place: &Place) {
    place.publish(&messages(0..20)).await.unwrap();
    let mut first = place.consume(10).await;
    let mut in_hand = Vec::new();
    for _ in 0..5 {
        in_hand.push(next(&mut first).await);
    }
    drop(first);
    let mut second = place.consume(20).await;
    let mut received = BTreeSet::new();
    for _ in 0..20 {
        let delivery = next(&mut second).await;
        assert_eq!(delivery.attempt, 1, "being given back is no attempt");
        received.insert(delivery.id.clone());
        delivery.ack().await.unwrap();
    }
    assert_eq!(received.len(), 20);
    for delivery in in_hand {
        assert_eq!(delivery.ack().await, Err(QueueError::GivenBack));
    }
    nothing(&mut second).await;
}

async fn a_dropped_delivery_comes_again(place: &Place) {
    place.publish(&messages(0..1)).await.unwrap();
    let mut consumer = place.consume(1).await;
    drop(next(&mut consumer).await);
    let again = next(&mut consumer).await;
    assert_eq!((again.id.as_str(), again.attempt), ("message-0", 1));
    again.ack().await.unwrap();
    nothing(&mut consumer).await;
}

async fn a_retry_comes_later_as_the_next_attempt(place: &Place) {
    place.publish(&messages(0..1)).await.unwrap();
    let mut consumer = place.consume(10).await;
    let delay = Duration::from_millis(400);
    let start = Instant::now();
    next(&mut consumer).await.retry(delay).await.unwrap();
    place
        .until(|depth| *depth == Depth { delayed: 1, in_progress: depth.in_progress, ..Depth::default() })
        .await;
    let second = next(&mut consumer).await;
    assert!(start.elapsed() >= delay, "it came after {:?}", start.elapsed());
    // The next longer pause that a broker offers takes five.
    assert!(start.elapsed() < Duration::from_secs(4), "it came after {:?}", start.elapsed());
    assert_eq!((second.id.as_str(), &second.body[..], second.attempt), ("message-0", &b"body of 0"[..], 2));
    second.retry(Duration::ZERO).await.unwrap();
    let third = next(&mut consumer).await;
    assert_eq!(third.attempt, 3);
    third.ack().await.unwrap();
    nothing(&mut consumer).await;
    assert_eq!(place.until(|depth| depth.ready == 0).await.delayed, 0);
}

async fn the_shorter_delay_comes_first(place: &Place) {
    place.publish(&messages(0..2)).await.unwrap();
    let mut consumer = place.consume(10).await;
    let long = next(&mut consumer).await;
    let short = next(&mut consumer).await;
    let (long_id, short_id) = (long.id.clone(), short.id.clone());
    long.retry(Duration::from_secs(2)).await.unwrap();
    short.retry(Duration::from_millis(100)).await.unwrap();
    for id in [short_id, long_id] {
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.id, id);
        delivery.ack().await.unwrap();
    }
}

async fn dead_letters_tell_why(place: &Place) {
    place.publish(&messages(0..1)).await.unwrap();
    let mut consumer = place.consume(10).await;
    next(&mut consumer).await.retry(Duration::ZERO).await.unwrap();
    next(&mut consumer).await.dead("no such address").await.unwrap();
    nothing(&mut consumer).await;
    place.until(|depth| depth.dead == 1 && depth.ready == 0).await;
    let expected = DeadLetter {
        id: "message-0".into(),
        body: Bytes::from("body of 0"),
        attempt: 2,
        reason: "no such address".into(),
    };
    for _ in 0..2 {
        let start = Instant::now();
        // A look takes the letter from the broker for a moment.
        while place.queue.dead_letters(&place.name, 10).await.unwrap() != [expected.clone()] {
            assert!(start.elapsed() < LONG, "the letter is gone");
        }
    }
}

async fn no_more_than_the_prefetch_is_in_hand(place: &Place) {
    place.publish(&messages(0..3)).await.unwrap();
    let mut consumer = place.consume(2).await;
    let first = next(&mut consumer).await;
    let second = next(&mut consumer).await;
    nothing(&mut consumer).await;
    first.ack().await.unwrap();
    let third = next(&mut consumer).await;
    second.ack().await.unwrap();
    third.ack().await.unwrap();
}

/// A broker looks at the length before it knows of the last messages, so a few more may pass.
async fn a_full_queue_refuses(place: &Place) {
    let mut accepted = 0;
    let full = QueueError::Full { queue: place.name.clone() };
    while accepted < 30 {
        match place.publish(&messages(accepted..accepted + 1)).await {
            Ok(()) => accepted += 1,
            Err(error) => {
                assert_eq!(error, full);
                break;
            }
        }
    }
    assert!((10..30).contains(&accepted), "{accepted} messages were accepted");
    let mut consumer = place.consume(30).await;
    for _ in 0..accepted {
        next(&mut consumer).await.ack().await.unwrap();
    }
    place.until(|depth| depth.ready == 0).await;
    place.publish(&messages(0..1)).await.unwrap();
}

async fn what_kills_its_consumers_is_dead_in_the_end(place: &Place) {
    place.publish(&messages(0..1)).await.unwrap();
    let mut consumer = place.consume(1).await;
    for _ in 0..=DELIVERY_LIMIT {
        drop(next(&mut consumer).await);
    }
    nothing(&mut consumer).await;
    place.until(|depth| depth.dead == 1 && depth.ready == 0).await;
    let letters = place.queue.dead_letters(&place.name, 10).await.unwrap();
    assert_eq!(letters.iter().map(|letter| letter.reason.as_str()).collect::<Vec<_>>(), [TOO_OFTEN]);
}

async fn a_closed_queue_ends_its_consumers(place: &Place) {
    place.publish(&messages(0..1)).await.unwrap();
    let mut busy = place.consume(1).await;
    let in_hand = next(&mut busy).await;
    let mut idle = place.consume(1).await;
    let waiting = tokio::spawn(async move { idle.next().await.is_none() });
    tokio::task::yield_now().await;
    place.queue.close();
    assert!(timeout(LONG, waiting).await.unwrap().unwrap());
    assert!(busy.next().await.is_none());
    in_hand.ack().await.unwrap();
    assert_eq!(place.publish(&messages(1..2)).await, Err(QueueError::Closed));
    assert_eq!(place.queue.ready().await, Err(QueueError::Closed));
}

async fn giving_up_waiting_loses_nothing(place: &Place) {
    let mut consumer = place.consume(100).await;
    let mut received = BTreeSet::new();
    for id in 0..100 {
        place.publish(&messages(id..id + 1)).await.unwrap();
        if let Some(Some(delivery)) = consumer.next().now_or_never() {
            received.insert(delivery.id.clone());
            delivery.ack().await.unwrap();
        }
    }
    while received.len() < 100 {
        let delivery = next(&mut consumer).await;
        assert!(received.insert(delivery.id.clone()), "{} came twice", delivery.id);
        delivery.ack().await.unwrap();
    }
}

async fn two_consumers_share_the_work(place: &Place) {
    let mut consumers = [place.consume(1).await, place.consume(1).await];
    place.publish(&messages(0..2)).await.unwrap();
    let mut in_hand = Vec::new();
    for consumer in &mut consumers {
        in_hand.push(next(consumer).await);
    }
    assert_ne!(in_hand[0].id, in_hand[1].id);
    for delivery in in_hand {
        delivery.ack().await.unwrap();
    }
}

async fn an_id_that_is_too_long_is_refused(place: &Place) {
    let long = [Outgoing { id: "x".repeat(256), body: Bytes::new() }];
    let refused = place.publish(&long).await;
    assert!(matches!(refused, Err(QueueError::Refused { .. })), "{refused:?}");
    let fits = [Outgoing { id: "x".repeat(255), body: Bytes::new() }];
    place.publish(&fits).await.unwrap();
    let delivery = next(&mut place.consume(1).await).await;
    assert_eq!((delivery.id.len(), delivery.body.len()), (255, 0));
}

#[tokio::test]
async fn urls_that_name_no_queue_are_refused() {
    for url in ["", "memory", "kafka://host", "amqp://user:geheim@host:99999999/", "amqp:geheim"] {
        let error = Queue::connect(url).await.err().expect(url);
        assert!(matches!(error, QueueError::Url(_)), "{url}: {error}");
        assert!(!error.to_string().contains("geheim"), "{error}");
    }
}
