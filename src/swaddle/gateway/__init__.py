"""The gateway: faces the internet, holds sealed transfers for their one reader, and can open none of them."""
