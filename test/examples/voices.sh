#!/bin/sh
# The voices of a Speech account, by curl. `token --header` prints the whole Authorization header.
# It is passed on by standard input, since the arguments of a process can be read by others on the machine.
set -eu
azure-ai-token-broker token speech --header |
  curl --silent --show-error --fail --header @- "$ENDPOINT/tts/cognitiveservices/voices/list"
