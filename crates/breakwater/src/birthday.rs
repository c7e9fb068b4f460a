//! Birthday: messages on people's birthdays, at their own morning, once.
