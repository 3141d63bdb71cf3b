// The server of node-smpp as a message centre; spoken with as json_lines.py says.
'use strict';

const readline = require('readline');
const smpp = require('smpp');

const port = Number(process.argv[2]);
const center = { receiver: null, count: 0, held: false, refusal: 0 };

function say(event, facts) {
  process.stdout.write(JSON.stringify({ event, ...facts }) + '\n');
}

const server = smpp.createServer((session) => {
  session.on('error', (error) => say('error', { error: String(error) }));
  session.on('close', () => say('closed'));
  for (const mode of ['bind_transceiver', 'bind_receiver', 'bind_transmitter']) {
    session.on(mode, (pdu) => {
      if (pdu.password !== 'secret') {
        session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }), () => session.close());
        return;
      }
      session.send(pdu.response({ system_id: 'node-smpp' }));
      if (mode !== 'bind_transmitter') center.receiver = session;
      say('bound', { receives: mode !== 'bind_transmitter' });
    });
  }
  session.on('submit_sm', (pdu) => {
    // Its decoder gives no raw octets: text by its own tables, the header apart.
    const udh = Buffer.concat(pdu.short_message.udh || []);
    const facts = {
      source: pdu.source_addr,
      destination: pdu.destination_addr,
      text: pdu.short_message.message.toString(),
      udh: udh.length ? Buffer.from([udh.length, ...udh]).toString('hex') : '',
      data_coding: pdu.data_coding,
      esm_class: pdu.esm_class,
    };
    if (center.held) return say('held', facts);
    if (center.refusal) {
      session.send(pdu.response({ command_status: center.refusal }));
      return say('refused', facts);
    }
    const message_id = (++center.count).toString(16).padStart(8, '0');
    session.send(pdu.response({ message_id }));
    say('submit', { message_id, ...facts });
  });
  session.on('enquire_link', (pdu) => {
    session.send(pdu.response());
    say('enquired');
  });
  session.on('unbind', (pdu) => {
    session.send(pdu.response(), () => session.close());
    say('unbind');
  });
});
server.listen(port, '127.0.0.1', () => say('listening', { port }));

const orders = {
  deliver: (order) => center.receiver.deliver_sm(
    {
      source_addr: order.source,
      destination_addr: order.destination,
      short_message: Buffer.from(order.octets, 'hex'),
      data_coding: order.data_coding,
      esm_class: order.esm_class,
    },
    (pdu) => say('delivered', { status: pdu.command_status })
  ),
  // As if these octets had come: the start of a PDU that is longer than it takes.
  garble: () => center.receiver.socket.unshift(Buffer.from('0000500000000004', 'hex')),
  enquire: () => center.receiver.enquire_link((pdu) => say('alive', { status: pdu.command_status })),
  unbind: () => center.receiver.unbind((pdu) => {
    say('unbound', { status: pdu.command_status });
    center.receiver.close();
  }),
  hold: () => { center.held = true; say('holding'); },
  refuse: (order) => { center.refusal = order.status; say('refusing'); },
};

readline.createInterface({ input: process.stdin })
  .on('line', (line) => { const order = JSON.parse(line); orders[order.do](order); })
  .on('close', () => process.exit(0));
