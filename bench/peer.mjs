/** One end of a benchmark: `peer.mjs receive|send KIND TOTAL SIZE [PORT]`, told by run.mjs over its IPC channel. */
import { createServer, connect as connectSocket } from 'node:net';
import { Observable, filter, map, mergeMap, of, scan } from 'rxjs';
import { bsdtcp, connect, listenBsdtcp, reply, request, serve } from '../dist/index.js';

const [role, kind, totalText, sizeText, portText] = process.argv.slice(2);
const total = Number(totalText);
const size = Number(sizeText);
const host = '127.0.0.1';
let peakRss = 0;
const watch = setInterval(() => (peakRss = Math.max(peakRss, process.memoryUsage().rss)), 20);

// The end that listens sends the port and receives; but an amandad listens and sends, so there the roles of the sockets are swapped.
const ends = {
  'receive socket-data': () => receiveOnSocket('data'),
  'receive socket-onread': () => receiveOnSocket('onread'),
  'send socket-data': sendOnSocket,
  'send socket-onread': sendOnSocket,
  'receive amanda': receiveAsInitiator,
  'send amanda': sendAsTarget,
};
ends[`${role} ${kind}`]();

function receiveOnSocket(how) {
  const server = createServer((announcement) => {
    announcement.once('data', (port) => {
      announcement.destroy();
      const count = counter();
      const onread = { buffer: Buffer.allocUnsafeSlow(262_144), callback: (length) => count.add(length) };
      const socket = connectSocket({ host, port: Number(port), ...(how === 'onread' ? { onread } : {}) });
      if (how === 'data') socket.on('data', (chunk) => count.add(chunk.length));
      socket.on('end', count.finish).on('error', fail);
      server.close();
    });
  });
  server.listen(0, host, () => process.send({ kind: 'port', port: server.address().port }));
}

function sendOnSocket() {
  const chunk = Buffer.alloc(size, 1);
  const server = createServer((socket) => {
    const cpu = process.cpuUsage();
    let left = total / size;
    const write = () => {
      while (left > 0) {
        left -= 1;
        if (!socket.write(chunk)) return;
      }
      socket.end(() => finish(cpu));
    };
    socket.setNoDelay(true).on('drain', write).on('error', fail);
    server.close();
    write();
  });
  listenAndTell(server);
}

/** Listens, and tells the receiver where. */
function listenAndTell(server) {
  server.listen(0, host, () => tell(server.address().port));
}

function tell(port) {
  connectSocket({ host, port: Number(portText) })
    .on('error', fail)
    .end(String(port));
}

function receiveAsInitiator() {
  const server = createServer((announcement) => {
    announcement.once('data', (port) => {
      announcement.destroy();
      server.close();
      const count = counter();
      connect(bsdtcp({ host, port: Number(port), reservedPorts: false }))
        .pipe(
          request('sendbackup'),
          mergeMap(({ streams }) => streams.DATA),
          ...(size === 64
            ? [map((chunk) => chunk.length), scan((sum, length) => sum + length, 0), filter((sum) => count.set(sum))]
            : [map((chunk) => count.add(chunk.length))]),
        )
        .subscribe({ error: fail, complete: count.finish });
    });
  });
  server.listen(0, host, () => process.send({ kind: 'port', port: server.address().port }));
}

function sendAsTarget() {
  const chunk = new Uint8Array(size).fill(1);
  let cpu;
  const send = (stream) =>
    new Observable((out) => {
      cpu = process.cpuUsage();
      let left = total / size;
      return stream.ready.subscribe((ready) => {
        if (!ready) return;
        while (left > 0 && stream.isReady) {
          left -= 1;
          stream.next(chunk);
        }
        if (left === 0) out.complete();
      });
    });
  const listener = listenBsdtcp({ host, port: 0, onListening: tell });
  const services = { sendbackup: () => of(reply({ streams: { DATA: send } })) };
  const serving = serve(listener, services, { authorize: () => of({ kind: 'allowed' }) }).subscribe({
    next: (event) => {
      if (event.kind !== 'disconnected') return;
      serving.unsubscribe();
      finish(cpu);
    },
    error: fail,
  });
}

/** Counts bytes and the time from the first to the last. */
function counter() {
  let bytes = 0;
  let started;
  let cpu;
  const begin = () => {
    started ??= process.hrtime.bigint();
    cpu ??= process.cpuUsage();
  };
  return {
    add(length) {
      if (bytes === 0) begin();
      bytes += length;
      return true;
    },
    set(sum) {
      if (bytes === 0) begin();
      bytes = sum;
      return true;
    },
    finish() {
      finish(cpu, { bytes, seconds: Number(process.hrtime.bigint() - started) / 1e9 });
    },
  };
}

function finish(cpu, more = {}) {
  clearInterval(watch);
  const { user, system } = process.cpuUsage(cpu);
  process.send({ kind: 'result', cpu: (user + system) / 1e6, rss: Math.max(peakRss, process.memoryUsage().rss), ...more }, () => process.disconnect());
}

function fail(error) {
  console.error(error);
  process.exit(1);
}
