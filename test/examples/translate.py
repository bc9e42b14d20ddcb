"""Translator with Python's standard library alone, under `azure-ai-token-broker run translator`.

`run` speaks the protocol of Azure App Service, so this is what a program on App Service does too.
"""

import json
import os
import urllib.request


def token() -> str:
    request = urllib.request.Request(
        f"{os.environ['IDENTITY_ENDPOINT']}?api-version=2019-08-01&resource=https://cognitiveservices.azure.com",
        headers={"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["access_token"]


request = urllib.request.Request(
    f"{os.environ['ENDPOINT']}/translator/text/v3.0/translate?to=de",
    data=json.dumps([{"Text": "Hello"}]).encode(),
    headers={"Authorization": f"Bearer {token()}", "Content-Type": "application/json"},
)
with urllib.request.urlopen(request) as answer:
    print(json.load(answer)[0]["translations"][0]["text"])
