# A job for Perl: lines of text taken apart by patterns, counted and put together again.
use strict;
use warnings;
my (%bytes, %paths, $seed);
$seed = 7;
sub chance { $seed = ($seed * 1103515245 + 12345) % 2147483648; return $seed % $_[0]; }
open(my $log, '>', '/tmp/log') or die;
for my $n (1 .. 60000) {
    printf $log "10.0.%d.%d - - [%02d/Nov/2026:10:%02d:%02d] \"GET /page/%d?q=%d HTTP/1.1\" %d %d\n",
        chance(4), chance(250), 1 + chance(28), chance(60), chance(60), chance(900),
        $n, chance(10) ? 200 : 404, chance(90000);
}
close($log);
open($log, '<', '/tmp/log') or die;
while (my $line = <$log>) {
    next unless $line =~ m{^(\S+) .*?"GET (/page/\d+)\?q=(\d+) HTTP/1\.[01]" (\d+) (\d+)$};
    $bytes{$1} += $5;
    push @{ $paths{$2} }, $3 if $4 == 404;
}
my @most = (sort { $bytes{$b} <=> $bytes{$a} || $a cmp $b } keys %bytes)[0 .. 9];
print "$_ $bytes{$_}\n" for @most;
my $joined = join ',', map { "$_=" . scalar @{ $paths{$_} } } sort keys %paths;
$joined =~ s/(\d+)=(\d+)/$2:$1/g;
print length($joined), ' ', unpack('%32C*', $joined), "\n";
