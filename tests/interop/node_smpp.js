// node-smpp as a peer on standard input and output: one JSON request a line, one JSON answer a line.
//
//   {"decode": HEX}                                  -> {"command": ..., "values": {...}}
//   {"encode": COMMAND, "values": {...}}             -> {"octets": HEX}
//   {"tables": true}                                 -> names and numbers of its own
//
// Octets are {"hex": ...} and dates {"time": ISO} inside values, both ways; a failure is {"error": ...}.
'use strict';

const readline = require('readline');
const { PDU } = require('smpp/lib/pdu');
const defs = require('smpp/lib/defs');

const HEADER = ['command', 'command_length', 'command_id'];

function told(value) {
  if (Buffer.isBuffer(value)) return { hex: value.toString('hex') };
  if (value instanceof Date) return { time: isNaN(value) ? null : value.toISOString() };
  if (Array.isArray(value)) return value.map(told);
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, told(each)]));
  }
  return value;
}

function meant(value) {
  if (Array.isArray(value)) return value.map(meant);
  if (value && typeof value === 'object') {
    if ('hex' in value) return Buffer.from(value.hex, 'hex');
    if ('time' in value) return new Date(value.time);
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, meant(each)]));
  }
  return value;
}

function numbers(named) {
  return Object.fromEntries(Object.entries(named).map(([key, each]) => [key, each.id]));
}

function answer(request) {
  if ('tables' in request) {
    const { errors, consts, commands, tlvs } = defs;
    return { errors, consts, commands: numbers(commands), tlvs: numbers(tlvs) };
  }
  if ('decode' in request) {
    const pdu = new PDU(Buffer.from(request.decode, 'hex'));
    const values = Object.entries(pdu).filter(([key]) => !HEADER.includes(key));
    return { command: pdu.command, values: told(Object.fromEntries(values)) };
  }
  return { octets: new PDU(request.encode, meant(request.values)).toBuffer().toString('hex') };
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  let said;
  try {
    said = answer(JSON.parse(line));
  } catch (error) {
    said = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(said) + '\n');
});
