#!/bin/sh
# Makes a self-signed pair when /certificates has none, then becomes nginx.
set -eu

certificate=/certificates/tls.crt
key=/certificates/tls.key
name=${TLS_NAME:-localhost}

if [ ! -s "$certificate" ] || [ ! -s "$key" ]; then
    if [ -s "$certificate" ] || [ -s "$key" ]; then
        echo "One of $certificate and $key is missing: mount both, or neither." >&2
        exit 1
    fi
    umask 077
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 825 \
        -subj "/CN=$name" -addext "subjectAltName=DNS:$name,DNS:localhost,IP:127.0.0.1" \
        -keyout "$key.new" -out "$certificate.new" 2>/dev/null
    mv "$key.new" "$key"
    mv "$certificate.new" "$certificate"
    echo "Made a self-signed certificate for $name. Mount tls.crt and tls.key of your own to replace it."
fi

exec nginx -e stderr -c /etc/langfuse-local/nginx.conf -g "daemon off;"
