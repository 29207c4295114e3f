"""The world `inventory`: stock, orders and suppliers on sqlite."""
