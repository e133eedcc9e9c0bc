objects := $(patsubst %.c,%.o,$(wildcard layout/*.c)) job.o

draw: $(objects)
	gcc -o $@ $^

%.o: %.c $(wildcard layout/*.h)
	gcc -std=gnu11 -D_GNU_SOURCE -I. -O0 -c -o $@ $<
