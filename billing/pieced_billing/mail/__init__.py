"""What customers are told by e-mail: a message waits in an outbox, is sent once, and what came of it is kept."""
