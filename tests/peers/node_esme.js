// The client of node-smpp as an ESME; spoken with as json_lines.py says.
'use strict';

const readline = require('readline');
const smpp = require('smpp');

const [host, port, mode, system_id, password] = process.argv.slice(2);

function say(event, facts) {
  process.stdout.write(JSON.stringify({ event, ...facts }) + '\n');
}

const session = smpp.connect({ host, port: Number(port) }, () => {
  const bind = { trx: 'bind_transceiver', tx: 'bind_transmitter', rx: 'bind_receiver' }[mode];
  session[bind]({ system_id, password }, (pdu) => {
    say('bound', { status: pdu.command_status, center: pdu.system_id || '' });
  });
});
session.on('error', (error) => say('error', { error: String(error) }));
session.on('close', () => say('closed'));
session.on('enquire_link', (pdu) => { session.send(pdu.response()); say('enquired'); });
session.on('deliver_sm', (pdu) => {
  session.send(pdu.response());
  say('delivered', {
    source: pdu.source_addr,
    destination: pdu.destination_addr,
    text: pdu.short_message.message.toString(),
    receipt: (pdu.esm_class & 0x3c) === 0x04,
    message_id: pdu.receipted_message_id || '',
    part: pdu.short_message.udh ? pdu.short_message.udh[0][4] : 0,
  });
});

const orders = {
  submit: (order) => session.submit_sm(
    {
      source_addr: order.source,
      destination_addr: order.destination,
      registered_delivery: 1,
      short_message: order.text,
    },
    (pdu) => say('response', { status: pdu.command_status, message_id: pdu.message_id || '' })
  ),
  enquire: () => session.enquire_link((pdu) => say('alive', { status: pdu.command_status })),
  unbind: () => session.unbind((pdu) => {
    say('unbound', { status: pdu.command_status });
    session.close();
  }),
};

readline.createInterface({ input: process.stdin })
  .on('line', (line) => { const order = JSON.parse(line); orders[order.do](order); })
  .on('close', () => process.exit(0));
