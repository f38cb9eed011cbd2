#!/bin/sh
# One page of pupils under a data grant (对外提供), with curl alone:
#   XUEJI_BASE=https://xueji.example XUEJI_CLIENT_ID=… XUEJI_CLIENT_SECRET=… sh read_provided.sh
# The secret and the token go to curl by standard input: arguments are seen by everybody on the machine.
set -eu
answer=$(printf 'user = "%s:%s"\n' "$XUEJI_CLIENT_ID" "$XUEJI_CLIENT_SECRET" |
    curl --silent --show-error --fail-with-body --config - \
        --data grant_type=client_credentials "$XUEJI_BASE/exchange/token")
token=$(printf '%s' "$answer" | sed -n 's/.*"access_token": *"\([^"]*\)".*/\1/p')
printf 'header = "Authorization: Bearer %s"\n' "$token" |
    curl --silent --show-error --fail-with-body --config - "$XUEJI_BASE/api/v1/provided/students/"
