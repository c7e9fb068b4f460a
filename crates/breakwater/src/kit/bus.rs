//! Publish and subscribe between the instances of a service: in the process, or through Redis.
