/**
 * rsocket-js: `rsocket.mjs send|receive - TOTAL SIZE STREAMS [PORT]`.
 * Each stream is a request, and each write is a payload. The receiver requests 16 MiB of payloads
 * and requests more when half of them have arrived.
 */
import { createServer } from 'node:net';
import core from 'rsocket-core';
import flowable from 'rsocket-flowable';
import tcpClient from 'rsocket-tcp-client';
import tcpServer from 'rsocket-tcp-server';
import { Counter, fail, tellPort, tellResult } from './telling.mjs';

const { BufferEncoders, RSocketClient, RSocketServer } = core;
const [role, , total, size, streams, port] = process.argv.slice(2);
const WINDOW = Math.max(2, (16 * 1024 * 1024) / Number(size));

function payloads() {
  return new flowable.Flowable((subscriber) => {
    const data = Buffer.alloc(Number(size), 1);
    let left = Number(total) / Number(size);
    subscriber.onSubscribe({
      cancel: () => undefined,
      request: (count) => {
        for (let more = Math.min(count, left); more > 0; more -= 1) {
          left -= 1;
          subscriber.onNext({ data });
        }
        if (left === 0) subscriber.onComplete();
      },
    });
  });
}

if (role === 'send') {
  let server;
  const serverFactory = (onConnect) => {
    server = createServer((socket) => {
      const cpu = process.cpuUsage();
      socket.setNoDelay(true);
      // It removes all listeners of a socket that it closes, so the server's close event is used.
      server.on('close', () => tellResult(cpu));
      server.close();
      onConnect(socket);
    });
    server.on('listening', () => tellPort(server.address().port));
    return server;
  };
  const transport = new tcpServer.default(
    { host: '127.0.0.1', port: 0, serverFactory },
    BufferEncoders,
  );
  new RSocketServer({
    getRequestHandler: () => ({ requestStream: payloads }),
    transport,
    errorHandler: fail,
  }).start();
} else {
  const counter = new Counter(Number(streams));
  let open = Number(streams);
  const mime = 'application/octet-stream';
  const setup = {
    keepAlive: 60_000,
    lifetime: 180_000,
    dataMimeType: mime,
    metadataMimeType: mime,
  };
  const client = new RSocketClient({
    setup,
    transport: new tcpClient.default({ host: '127.0.0.1', port: Number(port) }, BufferEncoders),
  });
  const read = (socket) => {
    let asked;
    let due = WINDOW / 2;
    return {
      onSubscribe: (subscription) => {
        asked = subscription;
        asked.request(WINDOW);
      },
      onNext: ({ data }) => {
        counter.add(data.length);
        due -= 1;
        if (due > 0) return;
        due = WINDOW / 2;
        asked.request(due);
      },
      onComplete: () => {
        counter.end();
        open -= 1;
        if (open === 0) socket.close();
      },
      onError: fail,
    };
  };
  client.connect().subscribe({
    onComplete: (socket) => {
      for (let stream = 0; stream < Number(streams); stream += 1)
        socket.requestStream({ data: Buffer.alloc(0) }).subscribe(read(socket));
    },
    onError: fail,
    onSubscribe: () => undefined,
  });
}
