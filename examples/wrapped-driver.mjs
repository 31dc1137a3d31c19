// A driver of your own that encrypts each payload.
// The cipher is AES-256-GCM, with a key that both sides have.
//
//     node examples/wrapped-driver.mjs
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { connect as connectSocket, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Observable, of } from 'rxjs';
import { AmandaError, connect, noop, reply, serve } from 'rx-amanda';
import { StreamChannel, overChannel, wrapPayloads } from 'rx-amanda/driver';

/** The driver: reaches a target of {@link listenSealed}. */
export function sealed({ host, port, key }) {
  const open = (options) =>
    new Observable((out) => {
      const socket = connectSocket({ host, port, noDelay: true });
      const fail = ({ message }) => out.error(new AmandaError('CONNECT_FAILED', message));
      socket.once('error', fail).once('connect', () => {
        socket.off('error', fail);
        out.add(
          overChannel(
            sealedChannel(socket, key, 'initiator'),
            { side: 'initiator', user: undefined },
            options,
          ).subscribe(out),
        );
      });
      // What has become a connection ends by itself, with what was sent.
      return () => socket.connecting && socket.destroy();
    });
  return { name: 'sealed', user: undefined, open };
}

/** The listener: a peer that has the key is trusted, so no request names its user. */
export function listenSealed({ port, key, onListening }) {
  const accept = (options) =>
    new Observable((out) => {
      const take = (socket) =>
        overChannel(
          sealedChannel(socket, key, 'target'),
          { side: 'target', namesUser: false },
          options,
        ).subscribe({
          next: (connection) => out.next(connection),
          // A connection that breaks is no error of its listener.
          error: () => undefined,
        });
      const server = createServer({ noDelay: true }, take).listen(port, '127.0.0.1', () =>
        onListening(server.address().port),
      );
      return () => server.close();
    });
  return { name: 'sealed', accept };
}

function sealedChannel(socket, key, side) {
  const peer = { driver: 'sealed', address: socket.remoteAddress, port: socket.remotePort };
  return wrapPayloads(new StreamChannel({ input: socket, output: socket, peer }), gcm(key, side));
}

/**
 * Each payload has a number of its own in each direction, so that none can be left out, doubled or
 * sent back. A real driver agrees on a fresh key first.
 */
function gcm(key, side) {
  const counters = { initiator: 0n, target: 0n };
  const nonce = (from) =>
    Buffer.concat([
      Buffer.from([0, 0, 0, from === 'target']),
      Buffer.from((counters[from]++).toString(16).padStart(16, '0'), 'hex'),
    ]);
  return {
    wrap(payload) {
      const cipher = createCipheriv('aes-256-gcm', key, nonce(side));
      return Buffer.concat([cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
    },
    unwrap(wrapped) {
      // Without the length a shorter tag would do, which is easier to guess.
      const decipher = createDecipheriv(
        'aes-256-gcm',
        key,
        nonce(side === 'target' ? 'initiator' : 'target'),
        { authTagLength: 16 },
      );
      decipher.setAuthTag(wrapped.subarray(-16));
      return Buffer.concat([decipher.update(wrapped.subarray(0, -16)), decipher.final()]);
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const key = randomBytes(32);
  const onListening = (port) =>
    connect(sealed({ host: '127.0.0.1', port, key }))
      .pipe(noop())
      .subscribe(({ features }) => {
        console.log(
          `It has ${features.names().length} features, and they were encrypted on the way.`,
        );
        serving.unsubscribe();
      });
  const serving = serve(listenSealed({ port: 0, key, onListening }), {
    noop: () => of(reply({ lines: ['OPTIONS features=ffffffff9efefbff;'] })),
  }).subscribe();
}
