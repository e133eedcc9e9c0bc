exec /bin/pages noise-touches > /dev/null
