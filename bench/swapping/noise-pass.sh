exec /bin/pages noise-pass > /dev/null
