"""The general way: a message of any form, from payload to readings."""
