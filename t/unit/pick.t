#!/usr/bin/perl

# pick: the room's own tests, run inside nginx; random texts and paths, with
# what JSON::PP finds there.

use strict;
use warnings;

use Encode qw(encode);
use FindBin;
use lib $FindBin::Bin;

use Random;
use Unit;

my $random = Random->new(0x91c);
my @records;

for (1 .. 600) {
    my $text = $random->text;
    my $value = Random::decode_text($text);
    my $items = $random->below(3) ? [way($value)] : undef;
    my ($list) = $items ? at($value, @$items) : [$value];
    my $like = ref $list eq 'ARRAY' && @$list ? $random->one_of(@$list)
                                              : $value;
    my @paths = map { [way($like)] } 0 .. $random->below(16);

    my $picked = ref $list eq 'ARRAY'
        ? join('', map { item($_, @paths) } @$list) . ' ok' : ' declined';

    push @records, [$items ? path(@$items) : '',
                    join("\n", map { path(@$_) } @paths), $text, $picked];
}

exit Unit::run('pick', @records);


# The way to somewhere in a value, an index as a reference; now and then there
# is nothing.  No LF, which is between paths here, and no NUL.
sub way {
    my ($value) = @_;
    my @way;

    while ($random->below(4)) {
        if (ref $value eq 'ARRAY') {
            my $index = $random->below(@$value + 1);
            push @way, \$index;
            $value = $value->[$index];

        } elsif (ref $value eq 'HASH') {
            my $name = $random->one_of('a', sort keys %$value);
            last if $name =~ /[\n\0]/;
            push @way, $name;
            $value = $value->{$name};

        } else {
            last;
        }
    }

    return @way;
}


sub path {
    return encode('UTF-8', join '', '$', map {
        ref $_ ? "[$$_]" : /^[a-f]+\z/ ? ".$_"
               : "['" . s/([\\'])/\\$1/gr . "']"
    } @_);
}


# Nothing at all if there is nothing.
sub at {
    my ($value, @way) = @_;

    for (@way) {
        if (ref $_) {
            return if ref $value ne 'ARRAY' || $$_ > $#$value;
            $value = $value->[$$_];

        } else {
            return if ref $value ne 'HASH' || !exists $value->{$_};
            $value = $value->{$_};
        }
    }

    return $value;
}


sub item {
    my ($item, @paths) = @_;
    my @picked;

    for (@paths) {
        my @found = at($item, @$_);

        push @picked, !@found ? '-:'
                      : ref($found[0]) =~ /^(?:ARRAY|HASH)\z/ ? 'o:'
                      : Random::spelled($found[0], 'n:', 's:')
                        =~ s/^(?=null\z)/z:/r =~ s/^(?=(?:true|false)\z)/b:/r;
    }

    return "(@picked)";
}
