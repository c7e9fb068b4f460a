use super::*;

fn bus(url: &str) -> Bus {
    Bus::connect(&BusSettings { bus: url.to_owned() }, &Metrics::default()).unwrap()
}

fn message(text: &'static str) -> Heard {
    Heard::Message(Bytes::from_static(text.as_bytes()))
}

#[tokio::test]
async fn a_subscriber_hears_a_gap_and_then_its_channel() {
    let bus = bus("memory:");
    bus.publish("a", "too early".into());
    let mut first = bus.subscribe("a");
    bus.publish("a", "1".into());
    let mut second = bus.subscribe("a");
    bus.publish("b", "elsewhere".into());
    bus.publish("a", "2".into());
    for heard in [Heard::Gap, message("1"), message("2")] {
        assert_eq!(first.next().await, heard);
    }
    for heard in [Heard::Gap, message("2")] {
        assert_eq!(second.next().await, heard);
    }
}

#[tokio::test]
async fn a_slow_subscriber_loses_the_oldest_and_is_told() {
    let bus = bus("memory:");
    let mut slow = bus.subscribe("a");
    assert_eq!(slow.next().await, Heard::Gap);
    for number in 0..100 {
        bus.publish("a", Bytes::from(format!("{number}")));
    }
    assert_eq!(slow.next().await, Heard::Gap);
    assert_eq!(slow.next().await, message("36"));
    assert_eq!(bus.channels.counts.lost_lag.get(), 36);
}

#[tokio::test]
async fn a_name_is_shared_within_the_process_and_none_is_not() {
    let (one, two, other, alone) =
        (bus("memory:shared"), bus("memory:shared"), bus("memory:other"), bus("memory:"));
    let mut hears = two.subscribe("a");
    assert_eq!(hears.next().await, Heard::Gap);
    for bus in [&other, &alone, &one] {
        bus.publish("a", if std::ptr::eq(bus, &one) { "one" } else { "another" }.into());
    }
    assert_eq!(hears.next().await, message("one"));
    assert!(one.has_others() && !alone.has_others());
}

#[cfg(feature = "servers")]
#[test]
fn a_link_is_told_of_what_changes_and_of_all_after_it_was_lost() {
    let channels = Channels::behind_link(Counts::new(&Metrics::default()));
    let work = |subscribe: &[&str], unsubscribe: &[&str]| channels::Work {
        subscribe: subscribe.iter().map(ToString::to_string).collect(),
        unsubscribe: unsubscribe.iter().map(ToString::to_string).collect(),
    };
    let (mut a, live) = channels.open("a");
    assert!(!live && a.is_empty());
    assert_eq!(channels.work(), work(&["a"], &[]));
    channels.live(&["a".to_owned()]);
    assert_eq!(a.try_recv(), Ok(Heard::Gap));
    let (again, live) = channels.open("a");
    assert!(live, "the channel is heard already");
    channels.close("a");
    drop(again);
    assert_eq!(channels.work(), work(&[], &[]), "one receiver is left");
    channels.lost();
    assert_eq!(channels.work(), work(&["a"], &[]));
    channels.close("a");
    drop(a);
    assert_eq!(channels.work(), work(&[], &["a"]));
}

#[test]
fn a_url_of_an_unknown_kind_is_told_without_its_password() {
    let settings = BusSettings { bus: "amqp://me:secret@host".to_owned() };
    let error = Bus::connect(&settings, &Metrics::default()).err().unwrap().to_string();
    assert!(error.contains("amqp://me@host") && error.contains("redis://"), "{error}");
}

#[cfg(feature = "servers")]
mod through_redis {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    async fn soon(subscription: &mut Subscription) -> Heard {
        timeout(Duration::from_secs(10), subscription.next()).await.expect("heard within 10 s")
    }

    fn url() -> String {
        std::env::var("BREAKWATER_TEST_REDIS").expect("BREAKWATER_TEST_REDIS is the URL of a Redis")
    }

    #[tokio::test]
    #[ignore = "needs Redis"]
    async fn messages_reach_other_instances_in_order_and_a_lost_connection_is_a_gap() {
        let (one, two) = (bus(&url()), bus(&url()));
        let channel = format!("test:{}", uuid::Uuid::new_v4());
        let mut hears = two.subscribe(&channel);
        assert_eq!(soon(&mut hears).await, Heard::Gap);
        // Two windows of what a subscriber may be behind, so that publishing and hearing have to overlap.
        for batch in 0..4 {
            for number in 0..32 {
                one.publish(&channel, Bytes::from(format!("{batch}/{number}")));
            }
            for number in 0..32 {
                assert_eq!(soon(&mut hears).await, Heard::Message(format!("{batch}/{number}").into()));
            }
        }

        // The connection is lost, made again, and that is told as a gap.
        let mut admin =
            ::redis::Client::open(url()).unwrap().get_multiplexed_async_connection().await.unwrap();
        let () = ::redis::cmd("CLIENT")
            .arg("KILL")
            .arg("TYPE")
            .arg("pubsub")
            .query_async(&mut admin)
            .await
            .unwrap();
        assert_eq!(soon(&mut hears).await, Heard::Gap);
        one.publish(&channel, "again".into());
        assert_eq!(soon(&mut hears).await, message("again"));
        assert!(two.channels.counts.link.failures.get() >= 1);
    }
}
