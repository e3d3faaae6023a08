"""The fast way: messages of forms that the general way has understood, a tick at a time."""
