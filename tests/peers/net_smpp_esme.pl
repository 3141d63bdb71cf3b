# Net::SMPP (perl) as an ESME; spoken with as json_lines.py says.
use strict;
use warnings;
use Encode qw(decode encode);
use IO::Select;
use JSON::PP;
use Net::SMPP;

my ($host, $port, $mode, $system_id, $password) = @ARGV;
my $json = JSON::PP->new->canonical->ascii;
$| = 1;
$SIG{PIPE} = 'IGNORE';

sub say_event { print $json->encode({ event => @_ }), "\n" }

my $new = { trx => 'new_transceiver', tx => 'new_transmitter', rx => 'new_receiver' }->{$mode};
my ($session, $answer) = Net::SMPP->$new(
    $host,
    port => $port,
    smpp_version => 0x34,
    interface_version => 0x34,
    system_id => $system_id,
    password => $password,
);
my $status = $answer ? $answer->{status} : -1;
say_event('bound', status => 0 + $status, center => $answer ? $answer->{system_id} : '');
exit 0 if $status;

my $select = IO::Select->new($session, \*STDIN);

sub take {
    my ($pdu) = @_;
    my $cmd = $pdu->{cmd};
    if ($cmd == 0x05) {
        my ($octets, $part) = ($pdu->{short_message}, 0);
        if ($pdu->{esm_class} & 0x40) {
            $part = ord substr $octets, 5, 1;
            $octets = substr $octets, 1 + ord $octets;
        }
        $session->deliver_sm_resp(message_id => '', seq => $pdu->{seq});
        my $id = $pdu->{receipted_message_id} // '';
        $id =~ s/\0$//;
        say_event(
            'delivered',
            source => $pdu->{source_addr},
            destination => $pdu->{destination_addr},
            text => decode($pdu->{data_coding} == 8 ? 'UTF-16BE' : 'ascii', $octets),
            receipt => ($pdu->{esm_class} & 0x3c) == 0x04 ? JSON::PP::true : JSON::PP::false,
            message_id => $id,
            part => $part,
        );
    } elsif ($cmd == 0x80000004) {
        say_event('response', status => 0 + $pdu->{status}, message_id => $pdu->{message_id} // '');
    } elsif ($cmd == 0x15) {
        $session->enquire_link_resp(seq => $pdu->{seq});
        say_event('enquired');
    } elsif ($cmd == 0x80000006) {
        say_event('unbound', status => 0 + $pdu->{status});
        $select->remove($session);
        $session->close;
    }
}

sub obey {
    my ($order) = @_;
    if ($order->{do} eq 'submit') {
        my $is_ascii = $order->{text} =~ /^[\x00-\x7f]*$/;
        $session->submit_sm(
            source_addr => $order->{source},
            destination_addr => $order->{destination},
            short_message => encode($is_ascii ? 'ascii' : 'UTF-16BE', $order->{text}),
            data_coding => $is_ascii ? 0 : 8,
            registered_delivery => 1,
            async => 1,
        );
    } elsif ($order->{do} eq 'unbind') {
        $session->unbind(async => 1);
    }
}

while (1) {
    for my $ready ($select->can_read) {
        if ($ready == \*STDIN) {
            # Unbuffered, because select knows nothing of what perl has read ahead.
            my $line = '';
            while (sysread(STDIN, my $octet, 1)) {
                last if $octet eq "\n";
                $line .= $octet;
            }
            exit 0 if $line eq '';
            obey($json->decode($line));
        } else {
            my $pdu = $session->read_pdu;
            if ($pdu) { take($pdu) }
            else { say_event('closed'); $select->remove($session) }
        }
    }
}
