exec /bin/pages packed-pass > /dev/null
