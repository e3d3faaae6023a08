"""The site's account with a provider of SMS, as a configuration says it."""

from __future__ import annotations


def aliyun_sms(text: str, *places: str) -> str:
    """An account whose key is in `aliyun.secret`, with one approved text. `places` as TOML writes them."""
    lines = "".join(f"  {{ {place} }},\n" for place in places)
    return f"""
[channels.aliyun]
key_id = "LTAI-test"
key_secret_file = "aliyun.secret"
[channels.aliyun.sms]
sign_name = "更夫"
[channels.aliyun.sms.template]
code = "SMS_1"
text = "{text}"
places = [
{lines}]
"""
