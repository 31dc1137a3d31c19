import { once } from 'node:events';
import { appendFileSync, chmodSync, copyFileSync, readFileSync, rmSync } from 'node:fs';
import {
  connect as connectSocket,
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import {
  Subject,
  filter,
  firstValueFrom,
  fromEvent,
  lastValueFrom,
  map,
  of,
  take,
  toArray,
  type Subscription,
} from 'rxjs';
import { afterAll, afterEach, describe, expect, it, test } from 'vitest';
import { authorize } from '../../src/access/authorize.js';
import { bsdtcp, listenBsdtcp } from '../../src/drivers/bsdtcp.js';
import { connect } from '../../src/initiator/connect.js';
import type { Listener } from '../../src/drivers/driver.js';
import {
  listenSsl,
  ssl,
  type ListenSslOptions,
  type SslOptions,
} from '../../src/drivers/ssl/ssl.js';
import { request, type Reply } from '../../src/exchange/request.js';
import { reply, type IncomingRequest } from '../../src/exchange/service.js';
import { serve, type ServiceEvent } from '../../src/target/serve.js';
import type { AmandaError } from '../../src/wire/errors.js';
import { fingerprint, openCertificates, pin, type Identity } from '../support/certificates.js';

const host = '127.0.0.1';
const made = openCertificates();
const ca = made.authority('ca');
const middle = made.signed('middle', ca, { commonName: 'middle', isAuthority: true });
const me = made.signed('me', ca);
const chained = made.signed('chained', middle);
appendFileSync(chained.cert, readFileSync(middle.cert));
/** Folders of certificates, by what is wrong with them. */
const dirs = {
  good: made.sslDir('good', ca, me),
  stranger: made.sslDir('stranger', ca, made.signed('foreign', made.authority('other'))),
  below: made.sslDir('below', ca, chained),
  elsewhere: made.sslDir(
    'elsewhere',
    ca,
    made.signed('elsewhere', ca, { commonName: 'elsewhere.invalid' }),
  ),
  nameless: made.sslDir('nameless', ca, made.signed('nobody', ca, { commonName: '' })),
  renewed: made.sslDir('renewed', ca, made.signed('renewed', ca)),
  expired: made.sslDir('expired', ca, made.signed('expired', ca, { days: -1 })),
  unpinned: made.sslDir('unpinned', ca, me),
  weak: made.sslDir('weak', ca, made.signed('weak', ca, { rsaBits: 1024 })),
};
const rsa = made.signed('rsa', ca, { rsaBits: 2048 });
const rsaDir = made.sslDir('rsa', ca, rsa);
const pinFile = pin(dirs.good, 'localhost', fingerprint(me.cert));
/** Lets a side use a short key of its own. */
const anyKey = { sslCipherList: 'DEFAULT:@SECLEVEL=0' };
/** What is wrong with each, seen from `good`. */
const refusals = [
  ['signed by another CA', 'stranger', 'CERTIFICATE_UNTRUSTED', join(dirs.good, 'CA/crt.pem')],
  [
    'signed by an authority below the CA',
    'below',
    'CERTIFICATE_DEPTH',
    join(dirs.good, 'CA/crt.pem'),
  ],
  ['that has expired', 'expired', 'CERTIFICATE_EXPIRED', join(dirs.good, 'CA/crt.pem')],
  ['whose key is short', 'weak', 'CERTIFICATE_UNTRUSTED', '2048 bits'],
  ['for another host', 'elsewhere', 'CERTIFICATE_HOST', 'elsewhere.invalid'],
  ['without a common name', 'nameless', 'CERTIFICATE_HOST', 'nameless'],
  ['that is not the one on file', 'renewed', 'CERTIFICATE_FINGERPRINT', pinFile],
] as const;

const servers: Server[] = [];
const targets: Subscription[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  for (const target of targets.splice(0)) target.unsubscribe();
});
afterAll(() => made.close());

interface RunningTarget {
  readonly port: number;
  /** With what the next connection that ends in disorder ends. */
  readonly failure: () => Promise<AmandaError>;
  readonly events: ServiceEvent[];
  readonly requests: IncomingRequest[];
}

function listening(
  listener: (onListening: (port: number) => void) => Listener,
): Promise<RunningTarget> {
  return new Promise((resolve, reject) => {
    const happened = new Subject<ServiceEvent>();
    const events: ServiceEvent[] = [];
    const requests: IncomingRequest[] = [];
    happened.subscribe((event) => events.push(event));
    const failure = (): Promise<AmandaError> =>
      firstValueFrom(
        happened.pipe(
          map(
            (event) =>
              (event.kind === 'disconnected' ? event.error : undefined) as AmandaError | undefined,
          ),
          filter((error) => error !== undefined),
        ),
      );
    const noop = (asked: IncomingRequest) => {
      requests.push(asked);
      return of(reply({ lines: ['OPTIONS features=ff;'] }));
    };
    const rules = `localhost ${userInfo().username} noop`;
    const opened = listener((port) => resolve({ port, failure, events, requests }));
    targets.push(
      serve(opened, { noop }, { authorize: authorize({ rules, reservedPort: false }) }).subscribe({
        next: (event) => happened.next(event),
        error: reject,
      }),
    );
  });
}

function target(options: ListenSslOptions = {}): Promise<RunningTarget> {
  return listening((onListening) =>
    listenSsl({
      host,
      port: 0,
      sslDir: dirs.good,
      onWarning: () => undefined,
      ...options,
      onListening,
    }),
  );
}

function ask(port: number, options: Partial<SslOptions> = {}): Promise<Reply> {
  return lastValueFrom(
    connect(ssl({ host, port, sslDir: dirs.good, onWarning: () => undefined, ...options }), {
      connectTries: 1,
    }).pipe(request('noop')),
  );
}

/** A server of another kind: it says something when a peer comes, or when that has spoken. */
async function foreigner(meet: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => meet(socket.on('error', () => undefined)));
  servers.push(server);
  server.listen(0, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function failing(code: string, ...words: readonly string[]): unknown {
  return expect.objectContaining({
    code,
    message: expect.stringMatching(
      new RegExp(words.map((word) => `(?=[^]*${word.replace(/[.?]/g, '\\$&')})`).join('')),
    ) as string,
  });
}

test('both sides know their peer', async () => {
  const { port, requests } = await target();
  const { text, connection } = await ask(port);
  expect(text).toBe('OPTIONS features=ff;\n');
  const tls = {
    protocol: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    commonName: 'localhost',
    fingerprint256: fingerprint(me.cert, 'sha256').replace(/^.*=/, '').trim(),
  };
  expect(connection.peer).toEqual({ driver: 'ssl', host, address: host, port, tls });
  expect(requests).toMatchObject([
    { user: userInfo().username, peer: { driver: 'ssl', host: 'localhost', address: host, tls } },
  ]);
});

test('the rules of .amandahosts go by the common name', async () => {
  const { port } = await target({ sslDir: dirs.elsewhere, sslCheckCertificateHost: false });
  const asked = ask(port, {
    sslDir: dirs.elsewhere,
    sslCheckCertificateHost: false,
    user: 'mallory',
  });
  await expect(asked).rejects.toEqual(
    failing('REFUSED', 'user mallory from elsewhere.invalid is not allowed'),
  );
});

describe('an initiator refuses', () => {
  it.each(refusals)('a target with a certificate %s', async (_what, kind, code, named) => {
    const { port } = await target({ sslDir: dirs[kind], ...(kind === 'weak' ? anyKey : {}) });
    await expect(ask(port)).rejects.toEqual(failing(code, named));
  });

  it('a target without a certificate', async () => {
    const server = createTlsServer({});
    servers.push(server);
    server.on('tlsClientError', () => undefined).listen(0, host);
    await once(server, 'listening');
    await expect(ask((server.address() as AddressInfo).port)).rejects.toEqual(
      failing('TLS_FAILED', 'does it have a certificate'),
    );
  });

  it('a target with nothing newer than TLS 1.1', async () => {
    const old = {
      cert: readFileSync(me.cert),
      key: readFileSync(me.key),
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    } as const;
    const server = createTlsServer(old);
    servers.push(server);
    server.on('tlsClientError', () => undefined).listen(0, host);
    await once(server, 'listening');
    await expect(ask((server.address() as AddressInfo).port)).rejects.toEqual(
      failing('TLS_FAILED', 'no TLS version in common'),
    );
  });

  it('to use a key that others can read, when told to insist', async () => {
    const sslDir = made.sslDir('open-key', ca, me);
    chmodSync(join(sslDir, 'me/private/key.pem'), 0o604);
    const { port } = await target();
    expect((await ask(port, { sslDir })).text).toBe('OPTIONS features=ff;\n');
    await expect(ask(port, { sslDir, insistOnSafeKey: true })).rejects.toEqual(
      failing('KEY_UNSAFE', join(sslDir, 'me/private/key.pem')),
    );
  });

  it.each([
    ['an SSH server', (socket: Socket) => socket.write('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n')],
    [
      'an HTTP server',
      (socket: Socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    ],
  ])('to speak with %s, and says where to look', async (_what, meet) => {
    const port = await foreigner(meet);
    await expect(ask(port)).rejects.toEqual(
      failing('TLS_FAILED', `${host} does not speak TLS`, 'an SSH or an HTTP server?'),
    );
  });

  it('a target with auth bsdtcp, which knows TLS when it sees it', async () => {
    const { port, failure } = await listening((onListening) =>
      listenBsdtcp({ host, port: 0, onListening }),
    );
    const failed = failure();
    await expect(ask(port)).rejects.toEqual(failing('TLS_FAILED', 'auth bsdtcp'));
    expect(await failed).toEqual(failing('FRAME_TOO_LARGE', 'as auth ssl sends them'));
  });
});

describe('a target refuses', () => {
  it.each(refusals)(
    'an initiator with a certificate %s, which is told to look there',
    async (_what, kind, code, named) => {
      const { port, failure, requests, events } = await target();
      const failed = failure();
      await expect(
        ask(port, { sslDir: dirs[kind], ...(kind === 'weak' ? anyKey : {}) }),
      ).rejects.toEqual(
        failing('CONNECTION_LOST', 'without a word', join(dirs[kind], 'me/crt.pem')),
      );
      expect(await failed).toEqual(failing(code, named));
      expect(events.map(({ kind: event, peer }) => [event, peer.host])).toEqual([
        ['connected', undefined],
        ['disconnected', undefined],
      ]);
      expect(requests).toEqual([]);
      // And serves the next one.
      expect((await ask(port)).text).toBe('OPTIONS features=ff;\n');
    },
  );

  it('an initiator without a certificate, which is told so', async () => {
    const { port, failure } = await target();
    const failed = failure();
    const session = connectTls({ host, port, rejectUnauthorized: false }).resume();
    const [error] = (await once(session, 'error', { signal: AbortSignal.timeout(5_000) }).catch(
      (reason: unknown) => [reason],
    )) as [Error & { code?: string }];
    expect(error.code).toBe('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
    expect(await failed).toEqual(failing('CERTIFICATE_MISSING', join(dirs.good, 'CA/crt.pem')));
  });

  it('to begin with a key that others can read, when told to insist, or with a bad cipher list', async () => {
    const sslDir = made.sslDir('open-key-too', ca, me);
    chmodSync(join(sslDir, 'me/private/key.pem'), 0o644);
    await expect(target({ sslDir, insistOnSafeKey: true })).rejects.toEqual(
      failing('KEY_UNSAFE', join(sslDir, 'me/private/key.pem')),
    );
    await expect(target({ sslCipherList: 'NO-SUCH-CIPHER' })).rejects.toEqual(
      failing('BAD_ARGUMENT', 'NO-SUCH-CIPHER'),
    );
  });

  it.each([
    ['an HTTP client', 'GET / HTTP/1.0\r\n\r\n', 'began with "GET / HTTP'],
    ['an SSH client', 'SSH-2.0-OpenSSH_9.2\r\n', 'SSH client'],
    ['what only begins like TLS', '\x16\x03\x01\x00\x05hello', 'TLS'],
  ])('to speak with %s', async (_what, words, told) => {
    const { port, failure } = await target();
    const failed = failure();
    const socket = connectSocket({ host, port }).on('error', () => undefined);
    socket.write(words, 'latin1');
    expect(await failed).toEqual(failing('TLS_FAILED', told));
    socket.destroy();
  });

  it('an initiator with auth bsdtcp, and says how to mend it', async () => {
    const { port, failure } = await target();
    const failed = failure();
    const asked = lastValueFrom(
      connect(bsdtcp({ host, port, user: 'u', reservedPorts: false })).pipe(request('noop')),
    );
    await expect(asked).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(await failed).toEqual(failing('TLS_FAILED', 'auth bsdtcp', 'auth ssl'));
  });

  it('a peer that closes at once, or says nothing for too long', async () => {
    const patient = await target();
    const early = patient.failure();
    connectSocket({ host, port: patient.port }).end();
    expect(await early).toEqual(failing('TLS_FAILED', 'closed the connection'));
    const { port, failure } = await target({ handshakeTimeout: 50 });
    const late = failure();
    const silent = connectSocket({ host, port });
    const closed = once(silent, 'close');
    silent.resume();
    expect(await late).toEqual(failing('TLS_FAILED', 'within 50 ms'));
    await closed;
  });

  it('an old address that another program listens on', async () => {
    const port = await foreigner(() => undefined);
    await expect(target({ port })).rejects.toEqual(failing('CONNECT_FAILED', String(port)));
  });
});

test('an initiator is told that its certificate is refused by a target whose TLS says so', async () => {
  // An alert by hand: fatal, unknown_ca. Node's own server closes the connection instead.
  const port = await foreigner((socket) =>
    socket.once('data', () => socket.write(Buffer.from('15030300020230', 'hex'))),
  );
  await expect(ask(port)).rejects.toEqual(
    failing('CERTIFICATE_REFUSED', join(dirs.good, 'me/crt.pem')),
  );
});

test('a renewed certificate counts from the next connection on', async () => {
  const sslDir = made.sslDir('renewing', ca, me);
  const { port } = await target({ sslDir });
  const before = await ask(port, { sslCheckFingerprint: false });
  copyFileSync(join(dirs.renewed, 'me/crt.pem'), join(sslDir, 'me/crt.pem'));
  copyFileSync(join(dirs.renewed, 'me/private/key.pem'), join(sslDir, 'me/private/key.pem'));
  const after = await ask(port, { sslCheckFingerprint: false });
  expect(after.connection.peer.tls?.fingerprint256).not.toBe(
    before.connection.peer.tls?.fingerprint256,
  );
});

test('a cipher list is about TLS 1.2, unless it names suites of 1.3', async () => {
  const { port } = await target();
  const cipher = async (sslCipherList: string) =>
    (await ask(port, { sslCipherList })).connection.peer.tls?.cipher;
  expect(await cipher('ECDHE-ECDSA-AES128-GCM-SHA256')).toBe('TLS_AES_256_GCM_SHA384');
  expect(await cipher('TLS_CHACHA20_POLY1305_SHA256')).toBe('TLS_CHACHA20_POLY1305_SHA256');
});

test('a target takes TLS 1.2 with forward secrecy and AEAD, and nothing less', async () => {
  const { port } = await target({ sslDir: rsaDir });
  const cipher = async (ciphers: string): Promise<string> => {
    const session = connectTls({ host, port, ...shown(rsa), ciphers, maxVersion: 'TLSv1.2' });
    await once(session, 'secureConnect');
    const { name } = session.getCipher();
    session.destroy();
    return name;
  };
  expect(await cipher('ECDHE-RSA-AES256-GCM-SHA384')).toBe('ECDHE-RSA-AES256-GCM-SHA384');
  for (const weak of ['AES128-SHA', 'AES256-GCM-SHA384', 'ECDHE-RSA-AES256-SHA384'])
    await expect(cipher(weak)).rejects.toMatchObject({
      code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
    });
});

test('a peer cannot renegotiate', async () => {
  const { port } = await target();
  const session = connectTls({ host, port, ...shown(me), maxVersion: 'TLSv1.2' });
  await once(session, 'secureConnect');
  const outcome = await new Promise((resolve) => {
    session.on('error', resolve);
    session.renegotiate({}, (error) => resolve(error ?? 'renegotiated'));
  });
  expect(outcome).toMatchObject({ message: expect.stringMatching(/no renegotiation/) as string });
  session.destroy();
});

test('a strict initiator asks a target by its name, and has its fingerprint on file', async () => {
  const { port } = await target();
  const strict = { strict: true, sslCheckFingerprint: false };
  await expect(ask(port, strict)).rejects.toEqual(failing('CERTIFICATE_HOST', 'localhost', host));
  expect((await ask(port, { ...strict, host: 'localhost' })).text).toBe('OPTIONS features=ff;\n');
  const unpinned = { ...strict, host: 'localhost', sslDir: dirs.unpinned };
  await expect(ask(port, unpinned)).rejects.toEqual(
    failing('CERTIFICATE_FINGERPRINT', join(dirs.unpinned, 'remote/localhost/fingerprint')),
  );
});

test('a strict target demands a fingerprint on file', async () => {
  const { port, failure } = await target({ sslDir: dirs.unpinned, strict: true });
  const failed = failure();
  await expect(ask(port)).rejects.toEqual(failing('CONNECTION_LOST'));
  expect(await failed).toEqual(failing('CERTIFICATE_FINGERPRINT', 'No fingerprint'));
});

test('a short key is of use where both sides have lowered the security level, and is named where one has not', async () => {
  const weak = { sslDir: dirs.weak, ...anyKey };
  const { port } = await target(weak);
  expect((await ask(port, weak)).text).toBe('OPTIONS features=ff;\n');
  for (const sslCipherList of ['', 'HIGH', 'TLS_AES_128_GCM_SHA256']) {
    await expect(ask(port, { sslDir: dirs.weak, sslCipherList })).rejects.toEqual(
      failing('CERTIFICATE_UNUSABLE', join(dirs.weak, 'me/crt.pem'), '2048 bits'),
    );
    await expect(ask(port, { sslCipherList })).rejects.toEqual(
      failing('CERTIFICATE_UNTRUSTED', '2048 bits'),
    );
  }
});

test('a certificate that is not meant for one of the two roles says so', async () => {
  const clientOnly = made.sslDir(
    'client-only',
    ca,
    made.signed('client-only', ca, { extensions: 'extendedKeyUsage=clientAuth\n' }),
  );
  const { port } = await target({ sslDir: clientOnly });
  await expect(ask(port)).rejects.toEqual(
    failing('CERTIFICATE_UNTRUSTED', 'both server and client authentication'),
  );
});

test('each frame has TLS records of its own, however many leave at once', async () => {
  const { port } = await target();
  const session = connectTls({
    host,
    port,
    ...shown(me),
  });
  session.write(Buffer.concat([noopFrame(1), noopFrame(2)]));
  const data = fromEvent(session, 'data', (chunk: Buffer) => chunk);
  // Node hands over what a record held as one chunk: two times an ACK and a REP.
  const chunks = await firstValueFrom(data.pipe(take(4), toArray()));
  session.destroy();
  expect(chunks.map((chunk) => chunk.length - chunk.readUInt32BE(0))).toEqual([8, 8, 8, 8]);
});

/** A certificate as an initiator shows it to Node's own TLS. */
function shown({ cert, key }: Identity) {
  return {
    cert: readFileSync(cert),
    key: readFileSync(key),
    ca: readFileSync(ca.cert),
    checkServerIdentity: () => undefined,
  };
}

function noopFrame(handle: number): Buffer {
  const packet = Buffer.from(
    `\0SECURITY USER ${userInfo().username}\nSERVICE noop\nOPTIONS features=ff;\n\0`,
  );
  const header = Buffer.alloc(8);
  header.writeUInt32BE(packet.length, 0);
  header.writeUInt32BE(handle, 4);
  return Buffer.concat([header, packet]);
}

/** The first record of an initiator. */
async function firstHello(): Promise<Buffer> {
  const hello = new Subject<Buffer>();
  const port = await foreigner((socket) => socket.once('data', (bytes) => hello.next(bytes)));
  const first = firstValueFrom(hello);
  connectTls({ host, port }).on('error', () => undefined);
  return first;
}

describe('peers that connect and never shake hands', () => {
  test('cost no look at the certificates, until they have said all of a hello', async () => {
    const sslDir = made.sslDir('removed', ca, me);
    const { port, failure } = await target({ sslDir });
    rmSync(sslDir, { recursive: true });
    const failures = [failure()];
    const http = connectSocket({ host, port }).on('error', () => undefined);
    http.write('GET');
    expect(await failures[0]).toEqual(failing('TLS_FAILED', 'no TLS'));
    const hello = await firstHello();
    const half = connectSocket({ host, port }).on('error', () => undefined);
    failures.push(failure());
    half.end(hello.subarray(0, -1));
    expect(await failures[1]).toEqual(
      failing('TLS_FAILED', 'closed the connection during the TLS handshake'),
    );
    const whole = connectSocket({ host, port }).on('error', () => undefined);
    failures.push(failure());
    for (const byte of hello) whole.write(Uint8Array.of(byte));
    expect(await failures[2]).toEqual(failing('FILE_FAILED', sslDir));
  });

  test('make room for newcomers, the one there longest first', async () => {
    const { port } = await target({ maxConnections: 4 });
    const ended: number[] = [];
    const sockets: Socket[] = [];
    for (let count = 0; count < 6; count += 1) {
      const socket = connectSocket(port, host)
        .on('error', () => undefined)
        .on('close', () => ended.push(count));
      sockets.push(socket);
      await once(socket, 'connect');
      // Two places are for connections without a session.
      if (count >= 2) await once(sockets[count - 2] ?? socket, 'close');
    }
    expect(ended).toEqual([0, 1, 2, 3]);
    await expect(ask(port)).resolves.toMatchObject({ kind: 'final' });
    for (const socket of sockets) socket.destroy();
  });

  test('do not push out another host that is slow to', async () => {
    const { port } = await target({ maxConnections: 8 });
    const slow = connectSocket(port, host).on('error', () => undefined);
    await once(slow, 'connect');
    const sockets: Socket[] = [];
    for (let count = 0; count < 20; count += 1) {
      const socket = connectSocket({ port, host, localAddress: '127.0.0.2' }).on(
        'error',
        () => undefined,
      );
      sockets.push(socket);
      await once(socket, 'connect');
      if (count >= 3) await once(sockets[count - 3] ?? socket, 'close');
    }
    const session = connectTls({
      socket: slow,
      ...shown(me),
    });
    await once(session, 'secureConnect');
    session.destroy();
    for (const socket of sockets) socket.destroy();
  });
});
