// A name server on 127.0.0.1, for a host of a lab: `node name-server.mjs JSON`.
//
//   { "names": { "client.lab": "10.77.0.2" }, "addresses": { "10.77.0.2": "client.lab" } }
//
// `names` has the address of a name, or the name that it is an alias of. `addresses` has the names
// of addresses. Anything else does not exist. With "silent" nothing is ever answered.
import { createSocket } from 'node:dgram';

const { names = {}, addresses = {}, silent = false } = JSON.parse(process.argv[2] ?? '{}');
const TYPES = { A: 1, CNAME: 5, PTR: 12 };
const NO_SUCH_NAME = 3;

const socket = createSocket('udp4');
socket.on('message', (query, { address, port }) => {
  if (!silent) socket.send(answer(query), port, address);
});
socket.bind(53, '127.0.0.1', () => console.error('listening'));

function answer(query) {
  const { name, type, end } = questionOf(query);
  const records = recordsFor(name, type);
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(0x8580 | (records === undefined ? NO_SUCH_NAME : 0), 2);
  header.writeUInt16BE(records?.length ?? 0, 6);
  header.writeUInt16BE(0, 8);
  header.writeUInt16BE(0, 10);
  return Buffer.concat([header, query.subarray(12, end), ...(records ?? [])]);
}

function questionOf(query) {
  const labels = [];
  let at = 12;
  while (query[at] !== 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + query[at]));
    at += 1 + query[at];
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function recordsFor(name, type) {
  const reverse = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa$/.exec(name);
  if (reverse !== null) {
    const found = addresses[reverse.slice(1).reverse().join('.')];
    return found === undefined ? undefined : [record(name, TYPES.PTR, nameBytes(found))];
  }
  const found = names[name];
  if (found === undefined) return undefined;
  if (/^[\d.]+$/.test(found))
    return type === TYPES.A
      ? [record(name, TYPES.A, Buffer.from(found.split('.').map(Number)))]
      : [];
  return [record(name, TYPES.CNAME, nameBytes(found)), ...(recordsFor(found, type) ?? [])];
}

function record(name, type, data) {
  const fields = Buffer.alloc(10);
  fields.writeUInt16BE(type, 0);
  fields.writeUInt16BE(1, 2);
  fields.writeUInt16BE(data.length, 8);
  return Buffer.concat([nameBytes(name), fields, data]);
}

function nameBytes(name) {
  const labels = name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  return Buffer.concat([...labels, Buffer.from([0])]);
}
