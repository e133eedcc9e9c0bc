exec /bin/pages noise-walk > /dev/null
