//! Those who share their positions: joining, connecting, and what they hear.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use http::Method;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Error, Message, protocol::frame::coding::CloseCode},
};

use crate::{
    SESSIONS,
    common::{App, Call},
};

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text: {value}")).to_owned()
}

/// Somebody who has joined.
#[derive(Clone)]
pub(crate) struct Participant {
    pub(crate) session: String,
    pub(crate) id: String,
    pub(crate) token: String,
}

pub(crate) async fn join(address: SocketAddr, session: &str, name: &str) -> Participant {
    let call = Call::new(address, Method::POST, &format!("{SESSIONS}/{session}/join"));
    let joined = call.json(json!({"name": name})).send().await.expect(201).json();
    Participant {
        session: session.to_owned(),
        id: text(&joined["participant"]),
        token: text(&joined["token"]),
    }
}

/// A participant's connection.
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) welcome: Value,
}

impl Participant {
    pub(crate) async fn try_connect(&self, address: SocketAddr, query: &str) -> Result<Member, Error> {
        let (session, token) = (&self.session, &self.token);
        let url = format!("ws://{address}{SESSIONS}/{session}/ws?token={token}{query}");
        let (socket, _) = tokio_tungstenite::connect_async(url).await?;
        let mut member = Member { id: self.id.clone(), socket, welcome: Value::Null };
        member.welcome = member.next().await;
        assert_eq!(member.welcome["type"], "welcome");
        Ok(member)
    }

    pub(crate) async fn connect(&self, app: &App) -> Member {
        self.try_connect(app.service.address(), "").await.expect("a connection")
    }
}

pub(crate) async fn member(app: &App, session: &str, name: &str) -> Member {
    join(app.service.address(), session, name).await.connect(app).await
}

impl Member {
    pub(crate) async fn receive(&mut self) -> Message {
        let received = timeout(Duration::from_secs(20), self.socket.next()).await;
        received.expect("a message within 20 s").expect("an open connection").expect("a message")
    }

    /// The next message that is JSON.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            match self.receive().await {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub(crate) async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next().await;
            if message["type"] == kind {
                return message;
            }
        }
    }

    pub(crate) async fn say(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.expect("it can be sent");
    }

    pub(crate) async fn is_at(&mut self, lat: f64) {
        self.say(json!({"type": "position", "lat": lat, "lon": 7.5})).await;
    }

    /// Reads until `participant` is seen at `lat`; gives the sequence number.
    pub(crate) async fn sees(&mut self, participant: &str, lat: f64) -> u64 {
        loop {
            let message = self.next_of("positions").await;
            for position in message["positions"].as_array().expect("a list") {
                assert!(position["at"].as_i64().is_some_and(|at| at > 1_600_000_000_000), "{position}");
                if position["participant"] == participant && position["lat"] == lat {
                    return message["seq"].as_u64().expect("a number");
                }
            }
        }
    }

    pub(crate) async fn hears(&mut self, participant: &str, presence: &str) {
        loop {
            let message = self.next_of("presence").await;
            let told = message["participants"].as_array().expect("a list");
            if told.iter().any(|told| told["participant"] == participant && told["presence"] == presence) {
                return;
            }
        }
    }

    /// How the service closes the connection.
    pub(crate) async fn closed(mut self) -> (u16, String) {
        loop {
            if let Message::Close(frame) = self.receive().await {
                let frame = frame.expect("a close says why");
                return (CloseCode::into(frame.code), frame.reason.to_string());
            }
        }
    }
}
