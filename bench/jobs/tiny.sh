# The smallest job, for a test: a part of the script, another program, and what it says.
/bin/true
echo $(echo done)
