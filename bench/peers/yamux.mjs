/**
 * libp2p's yamux over a bare socket: `yamux.mjs send|receive - TOTAL SIZE STREAMS [PORT]`.
 * The listening side opens the streams and sends. Windows of 16 MiB.
 */
import { connect, createServer } from 'node:net';
import { defaultLogger } from '@libp2p/logger';
import { AbstractMultiaddrConnection } from '@libp2p/utils';
import { yamux } from '@libp2p/yamux';
import { Counter, fail, tellPort, tellResult } from './telling.mjs';

const [role, , total, size, streams, port] = process.argv.slice(2);
// It uses a function that Node 20 lacks.
Promise.withResolvers ??= () => {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
};

/** A socket as libp2p expects it. */
class SocketConnection extends AbstractMultiaddrConnection {
  #socket;

  constructor(socket, direction) {
    super({ log: defaultLogger().forComponent('bench'), direction, remoteAddr: undefined });
    this.#socket = socket.setNoDelay(true);
    socket
      .on('data', (chunk) => this.onData(chunk))
      .on('drain', () => this.safeDispatchEvent('drain'));
    socket.on('close', () => this.onTransportClosed()).on('error', fail);
  }

  sendData(data) {
    this.#socket.cork();
    for (const part of data) this.#socket.write(part);
    this.#socket.uncork();
    return { sentBytes: data.byteLength, canSendMore: !this.#socket.writableNeedDrain };
  }

  sendReset() {
    this.#socket.resetAndDestroy();
  }

  async sendClose() {
    this.#socket.end();
  }

  sendPause() {
    this.#socket.pause();
  }

  sendResume() {
    this.#socket.resume();
  }
}

const options = {
  enableKeepAlive: false,
  streamOptions: {
    initialStreamWindowSize: 16 * 1024 * 1024,
    maxStreamWindowSize: 16 * 1024 * 1024,
  },
};
const muxerOf = (socket, direction) =>
  yamux(options)().createStreamMuxer(new SocketConnection(socket, direction));

if (role === 'send') {
  const server = createServer((socket) => {
    server.close();
    const cpu = process.cpuUsage();
    socket.on('close', () => tellResult(cpu));
    const muxer = muxerOf(socket, 'inbound');
    for (let index = 0; index < Number(streams); index += 1) pour(muxer).catch(fail);
  });
  server.listen(0, '127.0.0.1', () => tellPort(server.address().port));
} else {
  const counter = new Counter(Number(streams));
  const socket = connect({ host: '127.0.0.1', port: Number(port) }, () => {
    const muxer = muxerOf(socket, 'outbound');
    let open = Number(streams);
    muxer.addEventListener('stream', ({ detail: stream }) => {
      stream.addEventListener('message', ({ data }) => counter.add(data.byteLength));
      stream.addEventListener('remoteCloseWrite', () => {
        counter.end();
        open -= 1;
        if (open === 0) socket.end();
      });
    });
  });
}

async function pour(muxer) {
  const chunk = new Uint8Array(Number(size)).fill(1);
  const stream = await muxer.createStream();
  for (let left = Number(total) / chunk.length; left > 0; left -= 1) {
    if (!stream.send(chunk)) await stream.onDrain();
  }
  await stream.close();
}
