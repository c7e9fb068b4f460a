//! Location: positions shared in sessions over WebSocket.
