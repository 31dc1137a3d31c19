// Connects again and again: `stranger.mjs KIND AUTH PORT ADDRESS PER_SECOND`, until it is told to
// go.
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

const [kind, auth, port, localAddress, perSecond] = process.argv.slice(2);
const place = { port: Number(port), host: '127.0.0.1', localAddress };
const request = '\0SECURITY USER stranger\nSERVICE noop\nOPTIONS ;\n\0';
const framed = Buffer.concat([
  Buffer.from([0, 0, 0, request.length, 0, 0, 0, 10]),
  Buffer.from(request),
]);
const hello = Buffer.concat([Buffer.from('16030100fa010000f60303', 'hex'), Buffer.alloc(116)]);

const first = {
  silence: '',
  'half a header': (auth === 'ssl' ? hello : framed).subarray(0, 4),
  'half a hello': (auth === 'ssl' ? hello : framed).subarray(0, 40),
  'refused requests': framed,
}[kind];

let made = 0;
function visit() {
  made += 1;
  // Over ssl it has no certificate, so its handshake is refused.
  const socket =
    auth === 'ssl' && kind === 'refused requests'
      ? connectTls({ ...place, rejectUnauthorized: false })
      : connect(place);
  socket.on('error', () => undefined).resume();
  if (made === 1) socket.once('connect', () => process.send({ kind: 'first' }));
  if (first.length > 0) socket.write(first);
  // No connection stays for ever; then the port is free at once.
  setTimeout(() => socket.destroy(), 1_000);
}

const began = performance.now();
setInterval(() => {
  const due = ((performance.now() - began) / 1_000) * Number(perSecond);
  // What a busy machine did not let it do is not made up for.
  for (let burst = 0; made < due && burst < 50; burst += 1) visit();
}, 5);
process.on('message', () => {
  process.send({ kind: 'made', count: made }, () => process.exit());
});
process.on('disconnect', () => process.exit());
