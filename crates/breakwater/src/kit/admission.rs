//! Admission control: how much work may be in progress, how much may wait, and what is refused at once.
