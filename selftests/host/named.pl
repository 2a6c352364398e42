#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# named.pl FILE: is each requirement of RFC 9293's Appendix B a row of the table in
# FILE, and is there each test and each mutant that a row of this or another table names?
# A mutant has to fail the test of its row.  A counter that has a row has to be one of ustack's.
use strict;
use warnings;
use Text::ParseWords;

my (%seen, %text, %rows, $bad);
my ($table, $line) = ('');
my %known = (MUST => 69, SHLD => 31, MAY => 18, REC => 1);
my %wanted = (MUST => 75, SHLD => 32, MAY => 18, REC => 1);

sub complain {
	print "$ARGV:$line: @_\n";
	$bad = 1;
}

sub content {
	my $file = shift;

	open(my $handle, '<', $file) or return '';
	local $/;
	my $content = <$handle>;
	$content =~ s/"\s*\n\s*"//g;	# a string in pieces
	return $content;
}

sub check_test {
	my ($program, $name) = $_[0] =~ /^(\w+): (.+)$/ or return complain("no test");

	$text{$program} //= content("selftests/unit/$program.c");
	complain("$program has no test \"$name\"") if index($text{$program}, $name) < 0;
	return ($program, $name);
}

sub check_mutant {
	my ($mutant, $program, $name) = @_;
	my ($point, $begin);

	$text{''} //= content('selftests/mutants/table');
	($point) = $text{''} =~ /^\Q$mutant\E: [^\n]*\n[-+] .*\n[-+] .*\n= unit\/\Q$program\E: (.*)/m
		or return complain("$program does not have to find \"$mutant\"");
	$begin = $name =~ s/%.*//r;	# one of a format is any
	complain("$mutant fails \"$point\", not \"$name\"")
		if index($point, $begin) < 0 && index($name, $point) < 0;
}

# The six columns of a row; of one of Appendix B the first is its number.
sub columns {
	my @columns = map { defined ? s/^\s+|\s+$//gr =~ tr/\x01/'/r : '' }
		quotewords(',', 0, s/'/\x01/gr);

	complain("a comma too many") if @columns > 6;
	return map { $_ // '' } @columns[0 .. 5];
}

sub check_requirement {
	my ($id, $state) = @_;
	my ($kind, $number) = $id =~ /^(MUST|SHLD|MAY|REC)-(\d+)$/
		or return complain("no requirement");

	complain("no requirement $id") if $number < 1 || $number > $known{$kind};
	complain("$id has to be done") if $kind eq 'MUST' && $state eq 'no';
	$seen{$id} = 1;
	$rows{$kind}++;
}

sub check_counter {
	my ($counter, undef, undef, $test) = @_;

	$text{counters} //= content('ustack/core/counter.h');
	complain("no counter $counter") if $text{counters} !~ /X\($counter\)/;
	check_test($test) if $test;
}

while (<>) {
	$line = $.;
	$table = $1 if /^   :header: "(.*?)"/;
	$table = '' if /^\S/;
	next unless $table =~ /^(Requirement|Mechanism|Counter)$/ && /^   [^\s:,]/;
	my ($what, undef, $state, $test, $mutant, $remark) = columns();

	if ($table eq 'Counter') {
		check_counter(columns());
		next;
	}
	check_requirement($what, $state) if $table eq 'Requirement';
	if ($state eq 'done') {
		my ($program, $name) = check_test($test);
		check_mutant($mutant, $program, $name) if $name;
	} elsif ($state !~ m{^(no|n/a)$} || !$remark) {
		complain("$what is neither done nor excused");
	}
}
for my $kind (sort keys %known) {
	print "$kind: $rows{$kind} rows, not $wanted{$kind}\n" and $bad = 1
		if ($rows{$kind} // 0) != $wanted{$kind};
	for (1 .. $known{$kind}) {
		next if $seen{"$kind-$_"};
		print "$kind-$_ is missing\n";
		$bad = 1;
	}
}
exit($bad // 0);
