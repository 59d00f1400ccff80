"""For platforms in Python: asks Seawall before anything is published. Needs nothing but the standard library.

    client = Client("https://seawall.example", key)
    if client.judge(body, content_id="photo-1", account_id="account-1").may_publish: ...

`seawall.client.asgi`, `seawall.client.django` and `seawall.client.flask` ask about every upload by themselves.
Whatever goes wrong is `NotAnswered`, and then nothing may be published.
"""

from seawall.client.asking import Answer, Client, NotAnswered

__all__ = ["Answer", "Client", "NotAnswered"]
