exec /bin/pages packed-walk > /dev/null
