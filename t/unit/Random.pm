package Random;

# Random JSON texts by JSON::PP, always the same for a seed; what it reads in
# them; damaged ones; a grammar of RFC 8259, for bytes.

use strict;
use warnings;

use B ();
use Encode qw(encode);
use JSON::PP ();

# what strings are made of: what is escaped, and each length of UTF-8
my @Chars = ('a' .. 'f', 0 .. 3, ' ', '"', '\\', '/', "\n", "\t", "\0", "\x1f",
             "\x7f", "\x80", "\x{7ff}", "\x{644}", "\x{20ac}", "\x{fffd}",
             "\x{10000}", "\x{1f600}", "\x{10fffd}", '{', '}', '[', ']', ',',
             ':');

my $Json = qr{
    \A (?&blank) (?&value) (?&blank) \z

    (?(DEFINE)
        (?<blank>   [\x20\t\r\n]*+ )
        (?<value>   (?&object) | (?&array) | (?&string) | (?&number)
                    | true | false | null )
        (?<object>  \{ (?&blank) (?: (?&member)
                    (?: (?&blank) , (?&blank) (?&member) )*+ )?
                    (?&blank) \} )
        (?<member>  (?&string) (?&blank) : (?&blank) (?&value) )
        (?<array>   \[ (?&blank) (?: (?&value)
                    (?: (?&blank) , (?&blank) (?&value) )*+ )?
                    (?&blank) \] )
        (?<string>  " (?: [\x20\x21\x23-\x5b\x5d-\x7f] | (?&utf8)
                    | \\ (?: ["\\/bfnrt]
                          | u (?: [0-9a-ce-fA-CE-F][0-9a-fA-F]{3}
                                | [dD][0-7][0-9a-fA-F]{2}
                                | [dD][89abAB][0-9a-fA-F]{2}
                                  \\u[dD][c-fC-F][0-9a-fA-F]{2} ) ) )*+ " )
        (?<utf8>    [\xc2-\xdf][\x80-\xbf]
                    | \xe0[\xa0-\xbf][\x80-\xbf]
                    | [\xe1-\xec\xee\xef][\x80-\xbf]{2}
                    | \xed[\x80-\x9f][\x80-\xbf]
                    | \xf0[\x90-\xbf][\x80-\xbf]{2}
                    | [\xf1-\xf3][\x80-\xbf]{3}
                    | \xf4[\x80-\x8f][\x80-\xbf]{2} )
        (?<number>  -? (?: 0 | [1-9][0-9]*+ ) (?: \.[0-9]++ )?
                    (?: [eE][-+]?[0-9]++ )? )
    )
}xs;


# A generator of its own, so that the texts are those of the seed anywhere.
sub new {
    my ($class, $seed) = @_;
    return bless { state => $seed }, $class;
}


sub below {
    my ($self, $n) = @_;
    $self->{state} = ($self->{state} * 1103515245 + 12345) % 2 ** 31;
    return ($self->{state} >> 8) % $n;
}


sub one_of {
    my ($self, @list) = @_;
    return $list[$self->below(scalar @list)];
}


sub string {
    my ($self, $max) = @_;
    return join '', map { $self->one_of(@Chars) } 1 .. $self->below($max + 1);
}


sub value {
    my ($self, $depth) = @_;
    my $kind = $self->below($depth > 0 ? 9 : 6);

    return $self->string($self->one_of(3, 3, 12, 300)) if $kind < 2;
    return $self->one_of(0, 1, -1, 42, -3.5, 0.25, 966500000001, 1e300, -1e-7)
        if $kind == 2;
    return $self->one_of(JSON::PP::true, JSON::PP::false) if $kind == 3;
    return undef if $kind == 4;
    return $self->string(3) if $kind == 5;
    return [map { $self->value($depth - 1) } 1 .. $self->below(5)]
        if $kind == 6;
    return { map { $self->one_of('a', 'b', 'c', $self->string(3))
                   => $self->value($depth - 1) } 1 .. $self->below(5) };
}


# A text of bytes, names sorted; with escapes or UTF-8, with blanks or none.
sub text {
    my ($self, $value) = @_;

    $value = $self->value($self->one_of(0, 2, 4, 6)) if @_ == 1;

    my $json = JSON::PP->new->allow_nonref->canonical;

    $json->ascii if $self->below(2);
    $json->pretty if $self->below(3) == 0;
    $json->escape_slash if $self->below(2);

    my $text = encode('UTF-8', $json->encode($value));

    $text =~ s/\\u([0-9a-f]{4})/'\\u' . uc $1/ge if $self->below(2);

    return $text;
}


sub decode_text {
    return JSON::PP->new->allow_nonref->utf8->decode($_[0]);
}


# Some bytes less, more or others; or a piece once more.
sub damage {
    my ($self, $text) = @_;

    for (0 .. $self->below(2)) {
        my $at = $self->below(length($text) + 1);
        my $kind = $self->below(5);

        substr($text, $at, 1 + $self->below(2)) = '' if $kind == 0;
        substr($text, $at, $self->below(2))
            = $self->one_of(split //, qq({}[]",:\\/u0123dD8cefE+-.\x00\x1f\n ))
            if $kind == 1;
        substr($text, $at, 1) = chr $self->below(256) if $kind == 2;
        substr($text, $at, 0) = substr($text, $self->below($at + 1), 9)
            if $kind == 3;
        substr($text, $at, 0) = $self->one_of('\ud800', '\uDC00', "\xed\xa0",
                                              "\xf4\x8f", 'true', '0', '1e5',
                                              ' ', '""', '[]')
            if $kind == 4;
    }

    return $text;
}


sub valid {
    return $_[0] =~ $Json;
}


# As wag_unit_text() has it.
sub plain {
    my $bytes = encode('UTF-8', $_[0]);
    return $bytes =~ s/([\x00-\x1f\\])/sprintf '\\%02x', ord $1/ger;
}


# A scalar as it is spelled, with a prefix if it is a number or a string.
sub spelled {
    my ($value, $number, $string) = @_;

    return 'null' if !defined $value;
    return $value ? 'true' : 'false' if JSON::PP::is_bool($value);

    return B::svref_2object(\$value)->FLAGS & (B::SVp_IOK | B::SVp_NOK)
           ? "$number$value" : $string . plain($value);
}


1;
