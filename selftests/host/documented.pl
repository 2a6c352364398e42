#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# documented.pl FILE...: tells what has no kernel-doc and should: functions that other
# files call, where they are defined or in a header, and structures that headers define.
use strict;
use warnings;

my (%documented, %text);
my $failed = 0;

sub needs {
	my ($file, $name, $what) = @_;

	return if $documented{$file}{$name} || $documented{''}{$name};
	print "$file: $what $name has no kernel-doc\n";
	$failed = 1;
}

for my $file (@ARGV) {
	open my $in, '<', $file or die "$file: $!\n";
	local $/;
	$text{$file} = <$in>;
	my $scope = $file =~ /\.h$/ ? '' : $file;
	$documented{$scope}{$2} = 1
		while $text{$file} =~ m{^/\*\*\n \* (struct |union )?(\w+)(\(\))? - }mg;
}
for my $file (sort keys %text) {
	$1 eq 'main' || needs($file, $1, 'function')
		while $text{$file} =~ m{^(?!static |typedef )\w[\w\s*]*?\b(\w+)\([^;{}]*\)\n\{}mg;
	next unless $file =~ /\.h$/;
	needs($file, $2, $1) while $text{$file} =~ m{^(struct|union) (\w+) \{}mg;
}
exit $failed;
