"""The whole story on one machine, and the raid that shows what a thief of the gateway gets."""
