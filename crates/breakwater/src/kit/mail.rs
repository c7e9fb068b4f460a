//! Messages to people: a sink in the process, or SMTP.
