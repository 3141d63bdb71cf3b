# Net::SMPP (perl) as a message centre; spoken with as json_lines.py says.
#
# It has no loop of its own: this one waits for orders and for octets of any bind, and reads one PDU
# where there are some, as the SMSC among its examples does.
use strict;
use warnings;
use IO::Select;
use JSON::PP;
use Net::SMPP;

my $port = $ARGV[0];
my $json = JSON::PP->new->canonical;
my ($held, $refusal, $count, $receiver) = (0, 0, 0, undef);
$| = 1;
# A peer that went away while we hung must not end us.
$SIG{PIPE} = "IGNORE";

sub say_event { print $json->encode({ event => @_ }), "\n" }

my $listener = Net::SMPP->new_listen('127.0.0.1', port => $port, smpp_version => 0x34) or die $!;
my $select = IO::Select->new($listener, \*STDIN);
say_event('listening', port => 0 + $port);

my %mode = (0x01 => 'receiver', 0x02 => 'transmitter', 0x09 => 'transceiver');

sub take {
    my ($session, $pdu) = @_;
    my ($cmd, $seq) = ($pdu->{cmd}, $pdu->{seq});
    if (my $mode = $mode{$cmd}) {
        my $answer = "bind_${mode}_resp";
        my $ok = $pdu->{password} eq 'secret';
        $session->$answer(system_id => 'Net::SMPP', seq => $seq, status => $ok ? 0 : 0x0e);
        return unless $ok;
        $receiver = $session if $mode ne 'transmitter';
        say_event('bound', receives => $mode ne 'transmitter' ? JSON::PP::true : JSON::PP::false);
    } elsif ($cmd == 0x04) {
        my %facts = (
            source => $pdu->{source_addr},
            destination => $pdu->{destination_addr},
            octets => unpack('H*', $pdu->{short_message}),
            data_coding => 0 + $pdu->{data_coding},
            esm_class => 0 + $pdu->{esm_class},
        );
        return say_event('held', %facts) if $held;
        if ($refusal) {
            $session->submit_sm_resp(message_id => '', seq => $seq, status => $refusal);
            return say_event('refused', %facts);
        }
        my $id = sprintf '%08x', ++$count;
        $session->submit_sm_resp(message_id => $id, seq => $seq);
        say_event('submit', message_id => $id, %facts);
    } elsif ($cmd == 0x15) {
        $session->enquire_link_resp(seq => $seq);
        say_event('enquired');
    } elsif ($cmd == 0x06) {
        $session->unbind_resp(seq => $seq);
        say_event('unbind');
    } elsif ($cmd == 0x80000005) {
        say_event('delivered', status => 0 + $pdu->{status});
    } elsif ($cmd == 0x80000015) {
        say_event('alive', status => 0 + $pdu->{status});
    } elsif ($cmd == 0x80000006) {
        say_event('unbound', status => 0 + $pdu->{status});
        $select->remove($session);
        $session->close;
    }
}

sub obey {
    my ($order) = @_;
    my $do = $order->{do};
    if ($do eq 'deliver') {
        $receiver->deliver_sm(
            source_addr => $order->{source},
            destination_addr => $order->{destination},
            short_message => pack('H*', $order->{octets}),
            data_coding => $order->{data_coding},
            esm_class => $order->{esm_class},
            async => 1,
        );
    } elsif ($do eq 'enquire') {
        $receiver->enquire_link(async => 1);
    } elsif ($do eq 'unbind') {
        $receiver->unbind(async => 1);
    } elsif ($do eq 'hold') {
        $held = 1;
        say_event('holding');
    } elsif ($do eq 'refuse') {
        $refusal = $order->{status};
        say_event('refusing');
    }
}

while (1) {
    for my $ready ($select->can_read) {
        if ($ready == $listener) {
            my $session = $listener->accept or next;
            $select->add($session);
        } elsif ($ready == \*STDIN) {
            # Unbuffered, because select knows nothing of what perl has read ahead.
            my $line = '';
            while (sysread(STDIN, my $octet, 1)) {
                last if $octet eq "\n";
                $line .= $octet;
            }
            exit 0 if $line eq '';
            obey($json->decode($line));
        } else {
            my $pdu = $ready->read_pdu;
            if ($pdu) { take($ready, $pdu) }
            else { $select->remove($ready); $ready->close }
        }
    }
}
