//! Work queues: in the process, or RabbitMQ.
